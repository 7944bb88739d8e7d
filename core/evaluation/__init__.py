"""The paper's evaluation (sections 4 and 5, appendices A–C), and what it lacks.

Labels, metrics, studies and the report read saved traces and ask no model anything. ``judge`` asks
a service for labels, ``baselines`` ask a model or CLIP for predictions, both in one form.
``faithfulness`` is the causal reference (what an answer loses when a source is out of sight);
``agreement`` says how far a signal's ranking of units agrees with it, and ``causal`` what a folder
of traces loses by it: these ask the model.
"""
