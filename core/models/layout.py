"""Pieces of a prompt → ids and timeline; knows tokens, not what a medium's positions show.

Text is tokenised over stretches that lie between control tokens, so that a token may reach from a
part into the line break after it, exactly as in the model's own tokenization; such a token belongs
to the part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.models.text import TextCodec
from core.timeline import LANES, STRUCTURAL, Timeline

_TEXT_LANE = {True: LANES.index("text"), False: -1}


class Builder:
    """Collects ids and their provenance; text waits until a control token ends its stretch."""

    def __init__(self, codec: TextCodec) -> None:
        self._codec = codec
        self._waiting: list[tuple[str, int]] = []
        self._swallowing = False
        self._ids: list[np.ndarray] = []
        self._timelines: list[Timeline] = []

    def add_text(self, text: str, owner: int) -> None:
        """Text of a part, of the instruction, or of the markup (``STRUCTURAL``)."""
        self._waiting.append((text, owner))

    def add_markup(self, pieces: Iterable[tuple[str, int]]) -> None:
        """A template's markup with the texts in it, as ``Markup.pieces`` gives them."""
        for text, owner in pieces:
            if owner == STRUCTURAL:
                self.add_structure(text)
            else:
                self.add_text(text, owner)

    def add_structure(self, markup: str) -> None:
        """The markup's own text and control tokens."""
        for piece, is_control in self._codec.split_control(markup):
            if is_control:
                self.add_control(piece)
            else:
                self.add_text(piece, STRUCTURAL)

    def add_control(self, token: str) -> None:
        """A control token of the markup, by name."""
        before, after = self._codec.swallows[token]
        if before and self._waiting and self._waiting[-1][1] == STRUCTURAL:
            self._waiting[-1] = (self._waiting[-1][0].rstrip(), STRUCTURAL)
        self.add_ids([self._codec.control[token]], Timeline.structural(1))
        self._swallowing = after

    def add_ids(self, ids: Sequence[int] | np.ndarray, timeline: Timeline) -> None:
        """Positions whose provenance is known already."""
        self._flush()
        self._add(ids, timeline)

    def finish(self) -> tuple[np.ndarray, Timeline]:
        """Ids, int64 ``(n,)``, and the provenance of each."""
        self._flush()
        joined = {
            name: np.concatenate([getattr(timeline, name) for timeline in self._timelines])
            for name in ("part", "lane", "chars", "seconds", "box")
        }
        return np.concatenate(self._ids), Timeline(**joined)

    def _add(self, ids: Sequence[int] | np.ndarray, timeline: Timeline) -> None:
        self._ids.append(np.asarray(ids, np.int64))
        self._timelines.append(timeline)

    def _flush(self) -> None:
        if self._swallowing and self._waiting and self._waiting[0][1] == STRUCTURAL:
            # Only markup's own white space: what a person wrote is never dropped.
            self._waiting[0] = (self._waiting[0][0].lstrip(), STRUCTURAL)
        self._swallowing = False
        text = "".join(text for text, _ in self._waiting)
        if text:
            ids, offsets = self._codec.encode(text, first=not self._ids)
            self._add(ids, _text_timeline(self._waiting, offsets))
        self._waiting = []


def _text_timeline(pieces: list[tuple[str, int]], offsets: list[tuple[int, int]]) -> Timeline:
    """Provenance of the tokens of a stretch made of ``(text, owner)`` pieces."""
    lengths = [len(text) for text, _ in pieces]
    owner = np.repeat([owner for _, owner in pieces], lengths)
    place = np.concatenate([np.arange(length) for length in lengths])
    timeline = Timeline.structural(len(offsets))
    for position, (start, end) in enumerate(offsets):
        owners = owner[start:end]
        owned = owners[owners != STRUCTURAL]
        if not len(owned):
            continue
        values, counts = np.unique(owned, return_counts=True)
        part = values[counts.argmax()]
        chars = place[start:end][owners == part]
        timeline.part[position] = part
        timeline.lane[position] = _TEXT_LANE[bool(part >= 0)]
        timeline.chars[position] = chars[0], chars[-1] + 1
    return timeline
