"""How long an MP4 says it plays (ISO/IEC 14496-12, ``moov/mvhd``).

AAC sound comes in frames of 1024 samples, so a decoder gives up to 0.05 s too much at the end. The
film decoder does not say how much; the file's own duration does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BOXES = 4096
"""Boxes looked at before giving up: far more than any sound file has at one level."""


def playing_seconds(path: Path) -> float | None:
    """Seconds that the file plays; ``None`` if it is no MP4 or does not say (fragmented)."""
    with path.open("rb") as file:
        for movie in _boxes(file, b"moov", 0, path.stat().st_size):
            for start, _ in _boxes(file, b"mvhd", *movie):
                file.seek(start)
                return _header_seconds(file.read(32))
    return None


def _boxes(file: BinaryIO, kind: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """``[start, end)`` of the contents of each box of a kind between two offsets."""
    for _ in range(_BOXES):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 8:
            return
        size, found = struct.unpack(">I4s", head[:8])
        contents = start + 8
        if size == 1 and len(head) == 16:
            size, contents = struct.unpack(">Q", head[8:])[0], start + 16
        stop = end if size == 0 else start + size
        if not contents <= stop <= end:
            return
        if found == kind:
            yield contents, stop
        start = stop


def _header_seconds(data: bytes) -> float | None:
    """Duration over timescale of an ``mvhd``; version 1 has 64-bit times."""
    if len(data) < 32:
        return None
    layout, offset = (">IQ", 20) if data[0] == 1 else (">II", 12)
    timescale, duration = struct.unpack_from(layout, data, offset)
    return duration / timescale if timescale and duration else None
