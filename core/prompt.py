"""What a person gives: an instruction and ordered parts (section 3.1, "Inputs").

A part names its file and does not open it: decoding is the business of ``core.media``, and a trace
that was opened without its media still has a prompt.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from core.errors import InputError

IMAGE_SUFFIXES = frozenset([".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"])
AUDIO_SUFFIXES = frozenset(
    [".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".weba"]
)
VIDEO_SUFFIXES = frozenset([".mp4", ".m4v", ".webm", ".mkv", ".mov", ".avi"])


@dataclass(frozen=True)
class TextPart:
    """Written text, kept exactly as given."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Veil:
    """What of a media part the model is not to perceive, see ``core.media.veil``.

    Attributes:
        stream: ``image``, ``audio``, ``video_frames`` or ``video_sound``: lanes of the timeline.
        how: ``blank``: grey; or ``blur``. Sound is silent either way.
        start, end: seconds, half-open; ``None``: from the beginning, to the end.
    """

    stream: str
    how: Literal["blank", "blur"]
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class MediaPart:
    """A media file. ``name`` is what the person called it: shown, never used as a path.

    ``veils``: what is hidden of it when it is decoded; of what people give, nothing.
    """

    kind: ClassVar[str]
    path: Path
    name: str
    veils: tuple[Veil, ...] = ()


@dataclass(frozen=True)
class ImagePart(MediaPart):
    """A picture; of an animation, its first frame."""

    kind: ClassVar[str] = "image"


@dataclass(frozen=True)
class AudioPart(MediaPart):
    """A recording."""

    kind: ClassVar[str] = "audio"


@dataclass(frozen=True)
class VideoPart(MediaPart):
    """A film; its sound track, where it has one, belongs to it."""

    kind: ClassVar[str] = "video"


Part = TextPart | ImagePart | AudioPart | VideoPart
MEDIA_PARTS: dict[str, type[MediaPart]] = {
    "image": ImagePart,
    "audio": AudioPart,
    "video": VideoPart,
}


@dataclass(frozen=True)
class Prompt:
    """Instruction and ordered parts. The instruction is never a source; parts are."""

    instruction: str
    parts: tuple[Part, ...] = ()

    @classmethod
    def of(cls, instruction: str, parts: Iterable[str | Path | Part] = ()) -> Prompt:
        """Build a prompt: a ``str`` is text, a ``Path`` is a file whose suffix tells its kind.

        Raises:
            InputError: a path whose suffix names no kind of media.
        """
        return cls(instruction, tuple(map(_part, parts)))

    @property
    def media(self) -> tuple[tuple[int, MediaPart], ...]:
        """``(index, part)`` of every media part, in order."""
        return tuple((i, p) for i, p in enumerate(self.parts) if isinstance(p, MediaPart))


def media_part(path: Path, name: str | None = None) -> MediaPart:
    """The media part for a file, its kind told by the suffix of ``name`` (else of ``path``).

    Raises:
        InputError: the suffix names no kind of media that is known here.
    """
    name = path.name if name is None else name
    suffix = Path(name).suffix.lower()
    for kind, suffixes in (
        ("image", IMAGE_SUFFIXES),
        ("audio", AUDIO_SUFFIXES),
        ("video", VIDEO_SUFFIXES),
    ):
        if suffix in suffixes:
            return MEDIA_PARTS[kind](path, name)
    guess = (mimetypes.guess_type(name)[0] or "").partition("/")[0]
    if guess in MEDIA_PARTS:
        return MEDIA_PARTS[guess](path, name)
    known = " ".join(sorted(IMAGE_SUFFIXES | AUDIO_SUFFIXES | VIDEO_SUFFIXES))
    raise InputError(f"{name!r} is not a picture, recording or film. Known endings: {known}.")


def _part(value: str | Path | Part) -> Part:
    if isinstance(value, str):
        return TextPart(value)
    return media_part(value) if isinstance(value, Path) else value
