"""Any decoder-only model that transformers can run: text-only, or with a reporting processor.

loading.py    a folder or a GGUF file → the adapter
model.py      the adapter: prompt → ids, timeline, inputs
media.py      media → tensors and expansions, by the model's processor
places.py     what an item's positions show; whole items as the fallback
families.py   which rules hold for which family; pictures.py, sounds.py, films.py: the rules
voxtral.py    a processor where the published one reports nothing
run.py        one generation, through the hooks of ``generate``
"""

from core.models.generic.loading import load
from core.models.generic.model import GenericModel

__all__ = ["GenericModel", "load"]
