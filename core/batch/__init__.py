"""Trace many samples into a folder: resumes, and one failing sample does not stop the rest.

task.py      a sample and its file: what done, failed and left mean
run.py       a batch from start to outcome; tracing in this process
on_ray.py    tracing in several processes, each with a model of its own, by Ray Data
"""

from core.batch.run import ModelChoice, Outcome, trace_samples
from core.batch.task import Recipe, Task

__all__ = ["ModelChoice", "Outcome", "Recipe", "Task", "trace_samples"]
