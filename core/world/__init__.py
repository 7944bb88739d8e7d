"""The miniature world: text, pictures, speech and films whose sources are known.

``words`` says what exists and how it is worded; ``scenario`` composes prompts and their answers
with the exact source of every sentence; ``render`` turns scenarios into files; ``bank``,
``checkpoint`` and ``train`` make the embedded model; ``heldout`` writes the examples and
``bench`` measures on them. Nothing here is needed to run the app but the files it made.
"""

from core.models.torchvision_cpu import make_torchvision_importable

# Before any module here imports transformers' classes.
make_torchvision_importable()
