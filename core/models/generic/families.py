"""The families whose geometry is known, by ``model_type``. A new one is a line here.

Layouts were read from transformers 5.23 and are checked causally in the tests: change a patch or a
second, and the encoder's output moves at the positions that the rule names (qwen2_vl and
qwen3_vl_moe share a checked rule and have no test of their own). Any other type is served too,
with whole items as sources, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.models.generic import films, pictures, sounds
from core.models.generic.places import Rule


@dataclass(frozen=True)
class Family:
    """Rules of one family; ``None``: whole items."""

    image: Rule | None = None
    audio: Rule | None = None
    video: Rule | None = None
    heard_seconds: float | None = None
    """Longest recording that the processor takes without cutting it silently; ``None``: any."""

    hears_films: bool = False
    """The sound of a film can be given, woven into its pictures; of one film in a prompt."""


_QWEN_VL = Family(image=pictures.merged_patches, video=films.merged_patches)
_QWEN3_OMNI = Family(
    image=pictures.merged_patches,
    audio=sounds.chunked,
    video=films.merged_patches,
    hears_films=True,
)
_SMOLVLM = Family(image=pictures.tiles_then_whole, video=films.square_frames)

FAMILIES: dict[str, Family] = {
    "qwen3_omni_moe": _QWEN3_OMNI,
    "qwen3_omni_moe_thinker": _QWEN3_OMNI,
    "qwen2_vl": _QWEN_VL,
    "qwen2_5_vl": _QWEN_VL,
    "qwen3_vl": _QWEN_VL,
    "qwen3_vl_moe": _QWEN_VL,
    "qwen2_audio": Family(audio=sounds.even(25), heard_seconds=30),
    "gemma3n": Family(image=pictures.square_grid, audio=sounds.even(6.25), heard_seconds=30),
    "gemma4": Family(
        image=pictures.pooled_patches,
        audio=sounds.even(25),
        video=films.pooled_patches,
        heard_seconds=30,
    ),
    "phi4_multimodal": Family(image=pictures.tiles_then_global, audio=sounds.even(12.5)),
    "voxtral": Family(audio=sounds.even(12.5)),
    "smolvlm": _SMOLVLM,
    "llava": Family(image=pictures.centre_crop),
}

UNKNOWN = Family(heard_seconds=30)
"""Whisper's extractor, and most others, cut at 30 seconds."""
