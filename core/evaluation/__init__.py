"""Evaluation: what attribution is measured against.

faithfulness.py   the causal reference: what an answer loses when a source is out of sight
agreement.py      how far a signal's ranking of units agrees with it
"""
