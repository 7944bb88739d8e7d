"""Models: prompt in, provenance and next-token logits out (Algorithm 1, lines 1–3).

``base`` is what a model must offer, ``registry`` finds one by name, ``geometry`` tells which
pixels and seconds a position stands for; every family has one adapter beside them.
"""

from core.models.torchvision_cpu import make_torchvision_importable

# Before anything here imports transformers, which trusts that an installed torchvision works.
make_torchvision_importable()
