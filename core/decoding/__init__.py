"""Traced decoding: prompt → answer, every token of it with its scores over the prompt.

loop.py      the algorithm, a generator
reader.py    how tokens are read: layer by layer, or by one graph
choice.py    logits → token
text.py      tokens → characters of the answer
rows.py      a signal's scores, row by row
shortage.py  memory that ran out: how to know it, what to say
untraced.py  the same answer with nobody listening
"""

from core.decoding.loop import Step, stream, trace

__all__ = ["Step", "stream", "trace"]
