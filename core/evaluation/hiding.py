"""A prompt without some of its source units: what a person would do to hide them.

The attention knock-out of ``core.evaluation.faithfulness`` leaves the prompt as it is and closes
the model's eyes to it. Here the prompt itself changes, so that nothing of a unit can have mixed
with its neighbours anywhere in the model: text is cut out, sound falls silent, pictures and frames
turn grey or are blurred. The price is an input that the model may find odd.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal, get_args

from core.errors import InputError
from core.prompt import MediaPart, Part, Prompt, TextPart, Veil
from core.sources import Sources, SourceUnit

Way = Literal["attention", "prompt", "remove", "blur"]
"""How sources are hidden: from the answer's attention; from the prompt's own as well; taken out of
the prompt; or blurred in it."""

WAYS: tuple[Way, ...] = get_args(Way)


def without(
    prompt: Prompt, sources: Sources, hidden: Collection[int], *, how: Literal["remove", "blur"]
) -> Prompt:
    """The prompt without some units.

    Args:
        prompt: what was given.
        sources: its units.
        hidden: indices of those to hide.
        how: ``remove``: sentences are cut out; a picture, recording or film all of whose units are
            hidden is left out; of one that stays, the hidden seconds are silent or grey. ``blur``:
            the same for text, but media stay, and pictures and frames are blurred.

    Raises:
        InputError: nothing would be left.
    """
    kept = []
    for index, part in enumerate(prompt.parts):
        own = [unit for unit in sources.units if unit.part == index]
        gone = [u for at, u in enumerate(sources.units) if u.part == index and at in hidden]
        changed = _without(part, own, gone, how) if gone else part
        if changed is not None:
            kept.append(changed)
    if not kept and not prompt.instruction.strip():
        raise InputError(
            "Nothing would be left of the prompt. Hide fewer sources, or hide them from attention."
        )
    return Prompt(prompt.instruction, tuple(kept))


def _without(
    part: Part,
    own: Sequence[SourceUnit],
    gone: Sequence[SourceUnit],
    how: Literal["remove", "blur"],
) -> Part | None:
    if isinstance(part, TextPart):
        text = _cut_out(part.text, gone)
        return TextPart(text) if text.strip() else None
    if how == "remove" and len(gone) == len(own):
        return None
    return _veiled(part, gone, "blank" if how == "remove" else "blur")


def _veiled(
    part: MediaPart, gone: Sequence[SourceUnit], how: Literal["blank", "blur"]
) -> MediaPart:
    return replace(part, veils=tuple(Veil(u.lane, how, u.start, u.end) for u in gone))


def _cut_out(text: str, gone: Sequence[SourceUnit]) -> str:
    """The text without these stretches and the white space behind each."""
    left, at = [], 0
    for unit in sorted(gone, key=lambda unit: unit.start or 0):
        start, end = int(unit.start or 0), int(unit.end or 0)
        left.append(text[at:start])
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return "".join(left) + text[at:]
