"""Guards decord: each file is decoded in a process of its own, with a clock and a memory limit.

See ``core.media.decord_process`` for why, and for the exchange.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import cancel
from core.errors import InputError
from core.media.limits import Limits

PROGRAM = Path(__file__).with_name("decord_process.py")

_LOOK = 0.2
"""Seconds between two looks at whether the caller still wants the film."""

# Address space, not use: decord's libraries and threads alone claim over 1 GB of it.
_BASE_MEMORY = 6 << 30

_REFUSALS = {
    "no_pictures": "{name} holds no pictures that can be read (H.264, HEVC, VP8, VP9, "
    "MPEG-4 can be). If it is a recording, add it as one (ending .m4a); if not, convert it to "
    "MP4 with H.264.",
    "pictures": "{name} was given as a recording but is a film. Add it as a film (ending .mp4).",
    "no_sound": "{name} holds no sound that can be read. Save it anew as WAV.",
    "narrow": "{name} has frames too narrow to be read. Scale it to at least 64 pixels a side.",
    "damaged": "{name} cannot be decoded: damaged or cut short. Convert or download it again.",
}


@dataclass(frozen=True, eq=False)
class Decoded:
    """What the decoding process found: ``facts`` as it reports them, and the arrays it wrote."""

    facts: Mapping[str, object]
    frames: np.ndarray | None
    sound: np.ndarray | None


def decode_film(
    path: Path, name: str, *, fps: float, max_frames: int, rate: int, limits: Limits
) -> Decoded:
    """Frames and sound of a film. If the header is beyond ``limits``, only ``facts`` are filled.

    Raises:
        InputError: damaged, without readable pictures, or too hard on the decoder.
    """
    return _run(
        path,
        name,
        limits,
        pictures=True,
        fps=fps,
        max_frames=max_frames,
        rate=rate,
        max_seconds=limits.video_seconds,
        max_pixels=limits.image_pixels,
        frame_pixels=limits.frame_pixels,
    )


def decode_sound(path: Path, name: str, *, rate: int, limits: Limits) -> np.ndarray:
    """The sound of a file without pictures: float32 ``(n,)``, mono, at ``rate``.

    Raises:
        InputError: damaged, a film, without readable sound, or too hard on the decoder.
    """
    decoded = _run(path, name, limits, pictures=False, rate=rate, max_seconds=limits.audio_seconds)
    return np.zeros(0, np.float32) if decoded.sound is None else decoded.sound


def _run(path: Path, name: str, limits: Limits, **request: object) -> Decoded:
    with tempfile.TemporaryDirectory(prefix="omnitrace-") as folder:
        # Absolute, so that no name can be taken for an address or an option.
        request |= {"path": str(path.resolve()), "folder": folder, "memory": _BASE_MEMORY}
        if not _ends([sys.executable, "-P", str(PROGRAM), json.dumps(request)], limits):
            raise InputError(
                f"{name!r} was not decoded within {limits.decode_seconds:g} s. Shorten or convert "
                "it, or raise the setting `decode_seconds`."
            )
        answer = Path(folder, "answer.json")
        # A process that crashed leaves no answer.
        facts = json.loads(answer.read_text()) if answer.exists() else {"refused": "damaged"}
        if "refused" in facts:
            raise InputError(_REFUSALS[facts["refused"]].format(name=repr(name)))
        return Decoded(facts, _load(folder, "frames.npy"), _load(folder, "sound.npy"))


def _ends(command: Sequence[str], limits: Limits) -> bool:
    """Run a program; whether it ended in time. It is killed if not, or if nobody waits for it."""
    quiet = subprocess.DEVNULL
    deadline = time.monotonic() + limits.decode_seconds
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as program:
        try:
            while time.monotonic() < deadline:
                cancel.check()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.wait(min(_LOOK, max(0.0, deadline - time.monotonic())))
                    return True
            return False
        finally:
            program.kill()


def _load(folder: str, file: str) -> np.ndarray | None:
    path = Path(folder, file)
    return np.load(path, allow_pickle=False) if path.exists() else None
