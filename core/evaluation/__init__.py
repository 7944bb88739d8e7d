"""The paper's evaluation (sections 4 and 5, appendices A–C): labels, metrics, studies, report.

Everything here reads saved traces and asks no model anything.
"""
