"""Signals: rules that score every prompt position for one generated token (section 3.2).

``recorder`` taps the attention call while a model reads; ``attention`` turns what was recorded at
one step into scores; ``registry`` names the signals.
"""

from core.models.torchvision_cpu import make_torchvision_importable

# Before any module here imports transformers' classes.
make_torchvision_importable()
