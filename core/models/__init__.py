"""Models: prompt in, provenance and next-token logits out (Algorithm 1, lines 1–3).

``base`` is what a model must offer, ``registry`` finds one by name, ``geometry`` tells which
pixels and seconds a position stands for. ``chat``, ``text`` and ``layout`` turn a prompt into ids
and provenance for any tokenizer. ``generic`` serves every decoder-only family; those that need
more have an adapter of their own beside it.
"""

from core.models.torchvision_cpu import make_torchvision_importable

# Before anything here imports transformers, which trusts that an installed torchvision works.
make_torchvision_importable()
