"""What a file is, told by its first bytes and never by its name.

Only containers named here reach a decoder. That is also a guard: the film decoder's library knows
playlist formats that open other files and addresses, whatever the suffix of the file they are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.media.limits import Limits

HEAD_BYTES = 64

KIND_WORDS = {"image": "picture", "audio": "recording", "video": "film"}
"""Kind of part → the word that messages use."""

KNOWN = {
    "image": "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF",
    "audio": "WAV, FLAC, Ogg, MP3, M4A or AAC",
    "video": "MP4, MOV, WebM, MKV or AVI",
}
"""Kind of part → the formats to name in a message."""

ENDINGS = {"image": ".png", "audio": ".m4a", "video": ".mp4"}
"""Kind of part → an ending that stands for it."""


@dataclass(frozen=True)
class Container:
    """A file format and the kinds of part that it can carry; which one, only decoding tells."""

    name: str
    kinds: frozenset[str]


def _container(name: str, *kinds: str) -> Container:
    return Container(name, frozenset(kinds))


_MP4 = _container("MP4", "audio", "video")
_MAGIC: tuple[tuple[int, bytes, Container], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", _container("PNG", "image")),
    (0, b"\xff\xd8\xff", _container("JPEG", "image")),
    (0, b"GIF87a", _container("GIF", "image")),
    (0, b"GIF89a", _container("GIF", "image")),
    (8, b"WEBP", _container("WebP", "image")),
    (0, b"BM", _container("BMP", "image")),
    (0, b"II*\x00", _container("TIFF", "image")),
    (0, b"MM\x00*", _container("TIFF", "image")),
    (4, b"ftypavif", _container("AVIF", "image")),
    (4, b"ftypavis", _container("AVIF", "image")),
    *((4, b"ftyp" + brand, _container("HEIC")) for brand in (b"heic", b"heix", b"mif1", b"msf1")),
    (8, b"WAVE", _container("WAV", "audio")),
    (8, b"AIFF", _container("AIFF", "audio")),
    (8, b"AIFC", _container("AIFF", "audio")),
    (0, b"fLaC", _container("FLAC", "audio")),
    (0, b"OggS", _container("Ogg", "audio")),
    (0, b"ID3", _container("MP3", "audio")),
    (4, b"ftyp", _MP4),
    (4, b"moov", _MP4),
    (4, b"mdat", _MP4),
    (4, b"wide", _MP4),
    (4, b"free", _MP4),
    (4, b"skip", _MP4),
    (8, b"AVI ", _container("AVI", "video")),
    (0, b"\x1aE\xdf\xa3", _container("Matroska", "audio", "video")),
)
_RIFF_LIKE = (b"RIFF", b"RF64", b"FORM")
_AAC = _container("AAC", "audio")
_MP3 = _container("MP3", "audio")


def identify(head: bytes) -> Container | None:
    """The container whose signature ``head`` (the first ``HEAD_BYTES`` of a file) carries."""
    for offset, magic, container in _MAGIC:
        if head[offset:].startswith(magic) and (offset != 8 or head[:4] in _RIFF_LIKE):
            return container
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        layer, bitrate = head[1] >> 1 & 3, head[2] >> 4
        if layer == 0 and head[1] & 0xF0 == 0xF0:
            return _AAC
        if layer != 0 and bitrate != 15:
            return _MP3
    return None


def open_checked(path: Path, name: str, kind: str, limits: Limits) -> Container:
    """Check a file's presence, size and signature before any decoder sees it.

    Raises:
        InputError: missing, empty, unreadable, of no known format, or of another kind.
        LimitError: larger than ``limits.file_bytes``.
    """
    word = KIND_WORDS[kind]
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise InputError(f"{name!r} is not a file.")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        raise InputError(f"{name!r} is missing. Add it again.") from error
    except OSError as error:
        raise InputError(f"{name!r} cannot be read: {error.strerror}.") from error
    if not size:
        raise InputError(f"{name!r} is empty (0 bytes). Choose another file.")
    limits.require(
        "file_bytes", size, subject=f"{name!r} has", unit="bytes", remedy="Give a smaller file"
    )
    container = identify(head)
    if container is None or not container.kinds:
        holds = "is" if container is None else f"holds {container.name},"
        raise InputError(f"{name!r} {holds} not a {word} that can be read. Use {KNOWN[kind]}.")
    if kind not in container.kinds:
        other = " or ".join(
            f"{KIND_WORDS[k]} (ending {ENDINGS[k]})" for k in sorted(container.kinds)
        )
        raise InputError(
            f"{name!r} was given as a {word} but holds {container.name}. Add it as a {other}."
        )
    return container
