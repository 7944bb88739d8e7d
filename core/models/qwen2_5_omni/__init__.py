"""Qwen2.5-Omni: the 7B, the 3B and the embedded miniature; only their weights differ.

media.py    pictures, recordings, films → tensors, and what every position shows
layout.py   prompt → ids and timeline
model.py    the adapter: loading, preparing
run.py      one generation, step by step
"""

from core.models.qwen2_5_omni.model import Qwen25Omni, load

__all__ = ["Qwen25Omni", "load"]
