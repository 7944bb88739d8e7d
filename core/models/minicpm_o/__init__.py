"""MiniCPM-o 4.5, whose modelling code comes with its weights and was written for transformers 4.51.

code.py     its code, imported from the model's folder once a person has trusted it
mending.py  what transformers 5 breaks in it, mended from outside and verified before use
layout.py   pictures, recordings, films → the text that holds their positions, and what they show
loading.py  a folder → the adapter
model.py    the adapter: prompt → ids, timeline, inputs
run.py      one generation, step by step
"""

from core.models.minicpm_o.loading import load
from core.models.minicpm_o.model import MiniCPMO45

__all__ = ["MiniCPMO45", "load"]
