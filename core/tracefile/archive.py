"""The zip around a trace: written atomically, opened without trust."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.errors import TraceFileError

DOCUMENT, ARRAYS = "trace.json", "scores.safetensors"
_MEDIA = re.compile(r"media/\d{4}\.[a-z0-9]{3,4}", re.ASCII)

MAX_ENTRIES = 512
MAX_TABLE = MAX_ENTRIES * 256
"""Bytes of the zip's table of contents: it is read whole, before its entries can be counted."""
MAX_SCORES = 512 * 2**20
"""Bytes of the scores, which are held in memory."""
MAX_DOCUMENT, MAX_VALUES = 32 * 2**20, 4_000_000
"""Bytes of ``trace.json``, and values in it: each of a list of nothings takes 60 bytes parsed."""
MAX_TOTAL = 2 * 2**30
"""Bytes once unpacked."""
MAX_RATIO, HARMLESS = 100, 64 * 2**20
"""More than ``MAX_RATIO`` bytes unpacked from each one packed is refused beyond ``HARMLESS``."""

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    IndexError,
)
"""What ``zipfile`` and ``json`` raise on damaged bytes (RuntimeError: encrypted, or too deep)."""


def write_archive(
    path: Path,
    document: bytes,
    arrays: Mapping[str, np.ndarray],
    media: Mapping[str, Path],
) -> None:
    """Write beside ``path``, then move into place: a reader sees the old file or the new one.

    The same trace gives the same bytes. Raises ``OSError`` as the disk does.

    Raises:
        TraceFileError: it would be too large to be opened again.
    """
    sizes = {entry: source.stat().st_size for entry, source in media.items()}
    total = len(document) + sum(a.nbytes for a in arrays.values()) + sum(sizes.values())
    if total > MAX_TOTAL - HARMLESS:
        limit = MAX_TOTAL - HARMLESS
        raise TraceFileError(
            f"{path.name!r} would hold {total} bytes, most of it media; at most {limit} are "
            "allowed. Trace with shorter or smaller files."
        )
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            # Scores that are nearly all zero pack as tightly as a bomb: then they are not packed.
            for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
                file.seek(0)
                file.truncate()
                entries = _pack(file, document, save(dict(arrays)), media, compression)
                if not _is_tight(entries, file.tell()):
                    break
            _check_writable(path, entries, file.tell())
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _pack(
    file: BinaryIO, document: bytes, scores: bytes, media: Mapping[str, Path], compression: int
) -> list[zipfile.ZipInfo]:
    """Write all entries, the scores by ``compression``; returns the table of contents."""
    with zipfile.ZipFile(file, "w") as archive:
        _add(archive, DOCUMENT, document)
        _add(archive, ARRAYS, scores, compression)
        for entry, source in media.items():
            info = _info(entry)
            info.file_size = source.stat().st_size
            with source.open("rb") as original, archive.open(info, "w") as copy:
                shutil.copyfileobj(original, copy)
        return archive.infolist()


def _check_writable(path: Path, entries: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse now what ``Archive.open`` would refuse later."""
    try:
        _check_entries(entries, size)
    except TraceFileError as error:
        raise TraceFileError(
            f"{path.name!r} could not be opened again: {error} Trace fewer signals, fewer tokens "
            "or fewer parts."
        ) from error


def _info(entry: str, compression: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(entry)
    info.compress_type = compression
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def _add(
    archive: zipfile.ZipFile,
    entry: str,
    content: bytes,
    compression: int = zipfile.ZIP_DEFLATED,
) -> None:
    archive.writestr(_info(entry, compression), content, compresslevel=6)


@dataclass(frozen=True, eq=False)
class Archive:
    """An opened trace file whose table of contents has been found harmless.

    ``media``: the names of its media entries.
    """

    _zip: zipfile.ZipFile
    media: tuple[str, ...]

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator[Archive]:
        """Open and check names, number, kinds and sizes of entries, before anything is unpacked.

        Raises:
            TraceFileError: what it is not, or what it has too much of.
        """
        try:
            size = path.stat().st_size
            file = _Bounded(io.FileIO(path))
        except FileNotFoundError as error:
            raise TraceFileError("there is no such file.") from error
        except OSError as error:
            raise TraceFileError("it is not a trace file, or it is damaged.") from error
        with file:
            try:
                opened = zipfile.ZipFile(file)
            except _DAMAGE as error:
                raise TraceFileError("it is not a trace file, or it is damaged.") from error
            file.most = None
            entries = opened.infolist()
            _check_entries(entries, size)
            names = (entry.filename for entry in entries)
            yield cls(opened, tuple(name for name in names if _MEDIA.fullmatch(name)))

    def document(self) -> Any:
        """The parsed ``trace.json``."""
        content = self._read(DOCUMENT)
        values = sum(content.count(mark) for mark in (b",", b"[", b"{"))
        if values > MAX_VALUES:
            raise TraceFileError(f"its trace.json holds more than {MAX_VALUES} values.")
        try:
            return json.loads(content.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise TraceFileError("its trace.json is damaged.") from error

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of ``scores.safetensors``, read-only."""
        content = self._read(ARRAYS)
        try:
            return load(content)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise TraceFileError("its scores are damaged.") from error

    def extract(self, names: Iterable[str], folder: Path) -> dict[str, Path]:
        """Unpack media into an empty folder; entry name → file. On damage it is removed."""
        files = {}
        try:
            for entry in names:
                files[entry] = folder / Path(entry).name
                with self._zip.open(entry) as packed, files[entry].open("xb") as file:
                    shutil.copyfileobj(packed, file)
        except _DAMAGE as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise TraceFileError("its media are damaged, or the disk is full.") from error
        return files

    def _read(self, entry: str) -> bytes:
        try:
            # Never yields more than the table of contents declared, which has been checked.
            with self._zip.open(entry) as file:
                return file.read()
        except _DAMAGE as error:
            raise TraceFileError(f"its {entry} is damaged.") from error


class _Bounded(io.BufferedReader):
    """A file of which no more than ``most`` bytes are read at once; ``None``: as many as asked."""

    most: int | None = MAX_TABLE

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None:
            rest = os.fstat(self.fileno()).st_size - self.tell()
            if min(rest, rest if size is None or size < 0 else size) > self.most:
                raise ValueError("too large a table of contents")
        return super().read(size)


def _check_entries(entries: list[zipfile.ZipInfo], size: int) -> None:
    names = [entry.filename for entry in entries]
    if not {DOCUMENT, ARRAYS} <= set(names):
        raise TraceFileError("it is not a trace file.")
    if len(entries) > MAX_ENTRIES:
        raise TraceFileError(f"it has {len(entries)} entries; at most {MAX_ENTRIES} are allowed.")
    if len(set(names)) != len(names):
        raise TraceFileError("two of its entries have one name.")
    for entry in entries:
        _check_entry(entry)
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL:
        raise TraceFileError(f"it would unpack to {total} bytes; at most {MAX_TOTAL} are allowed.")
    if _is_tight(entries, size):
        raise TraceFileError("it is packed too tightly to be a trace file.")


def _is_tight(entries: list[zipfile.ZipInfo], size: int) -> bool:
    """Whether a file of so many bytes unpacks to so many more that it may be a bomb."""
    total = sum(entry.file_size for entry in entries)
    return total > HARMLESS and total > MAX_RATIO * size


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if entry.filename not in (DOCUMENT, ARRAYS) and not _MEDIA.fullmatch(entry.filename):
        raise TraceFileError(f"it holds {entry.filename[:80]!r}, which no trace file has.")
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise TraceFileError(f"its entry {entry.filename!r} is a link or another special file.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise TraceFileError(f"its entry {entry.filename!r} is packed in an unknown way.")
    most = {DOCUMENT: MAX_DOCUMENT, ARRAYS: MAX_SCORES}.get(entry.filename, MAX_TOTAL)
    if entry.file_size > most:
        raise TraceFileError(f"its {entry.filename} is larger than {most} bytes.")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
