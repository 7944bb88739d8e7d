"""Signals: rules that score every prompt position for one generated token (section 3.2).

interface.py  the attention call, tapped while a model reads
recorder.py   what was heard there, made the record of a decoding step
heard.py      the rows of one listening, gathered layer by layer
tap.py        the same call with a backward pass that shows the gradient of its weights
values.py     lengths of the transformed value vectors
needs.py      what a signal needs recorded, so that a run pays for nothing else
attention.py  scores from attention rows
gradient.py   scores from rows and their gradients
registry.py   the signals by name
"""

from core.models.torchvision_cpu import make_torchvision_importable

# Before any module here imports transformers' classes.
make_torchvision_importable()
