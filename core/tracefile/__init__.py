"""The trace file, ``NAME.omnitrace``: how results are shared and reopened without a model.

A zip with ``trace.json`` (``record``), ``scores.safetensors`` and ``media/`` (``archive``). No
pickle. A file from a stranger can be opened safely: nothing in it is a path, every value is
checked (``checks``), and its media go to a fresh folder under names made here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from core.errors import TraceFileError
from core.trace import Trace
from core.tracefile.archive import Archive, write_archive
from core.tracefile.record import decode, encode

__all__ = ["load_trace", "save_trace"]


def save_trace(trace: Trace, path: Path) -> Path:
    """Write a trace with the media that are still there; an existing file is replaced whole.

    Raises:
        TraceFileError: the file cannot be written.
        ValueError: the trace breaks its own rules (a bug): it could not be opened again.
    """
    document, arrays, media = encode(trace)
    try:
        decode(json.loads(document), arrays, media)
    except TraceFileError as error:
        raise ValueError(f"not a sound trace: {error}") from error
    try:
        write_archive(path, document, arrays, media)
    except OSError as error:
        raise TraceFileError(f"{path.name!r} cannot be written: {error.strerror}.") from error
    return path


def load_trace(path: Path, media_folder: Path | None = None) -> Trace:
    """Open a trace file, trusting nothing in it.

    Its media go to a new folder, inside ``media_folder`` if one is given, else among the system's
    temporary ones; it is the caller's to delete. A part whose media the file does not hold keeps
    its name and points to a file that does not exist.

    Raises:
        TraceFileError: the file is damaged, foreign, hostile or newer than this version.
    """
    try:
        with Archive.open(path) as archive:
            document, arrays = archive.document(), archive.arrays()
            # Everything is checked once before the first byte of media is written.
            trace = decode(document, arrays)
            if not trace.prompt.media:
                return trace
            if media_folder:
                media_folder.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="trace-", dir=media_folder))
            named = [part.get("file") for part in document["parts"]]
            files = archive.extract([name for name in named if name in archive.media], folder)
            return decode(document, arrays, files, folder)
    except TraceFileError as error:
        raise TraceFileError(f"{path.name!r} cannot be opened: {error}") from error
