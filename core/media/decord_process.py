"""The program that runs decord, in a process of its own; ``core.media.decoder`` starts it.

decord is a C++ library over an old FFmpeg. A hostile film may crash it, hang it or make it ask
for all memory; here that ends one short-lived process. It is started as a file, so it imports
nothing of this project, and it knows no names and no limits: it reports, the caller judges.

    python -P decord_process.py REQUEST      REQUEST: JSON; see ``main``
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
from pathlib import Path

import decord
import numpy as np

CHUNK = 32
"""Frames held in memory at once."""

FAULTS = 0.1
"""Share of frames that may be repeats of their neighbours where the data are damaged."""


class Refused(Exception):  # noqa: N818, it is an answer
    """Why a file cannot be read; its word is the answer."""


def main(request: dict) -> dict:
    """Read one file; arrays go to ``request["folder"]`` as ``frames.npy`` and ``sound.npy``.

    Request: ``path``, ``folder``, ``memory`` (bytes), ``rate`` (of the sound), ``pictures`` (a
    film or not), and for films ``fps``, ``max_frames``, ``frame_pixels``, ``max_seconds``,
    ``max_pixels``.
    Answer: ``{"refused": WORD}`` or what was found.
    """
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    decord.logging.set_level(decord.logging.FATAL)
    folder = Path(request["folder"])
    try:
        film = read_pictures(request, folder) if request["pictures"] else {}
        if film.get("beyond"):
            return film
        if not request["pictures"] and has_pictures(request["path"]):
            raise Refused("pictures")
        return film | read_sound(request, folder)
    except Refused as refused:
        return {"refused": str(refused)}


def read_pictures(request: dict, folder: Path) -> dict:
    """Choose and decode frames; stops after the header if the film is beyond a bound."""
    reader = open_film(request["path"])
    try:
        spans = reader.get_frame_timestamp(list(range(len(reader)))).astype(np.float64)
        height, width = reader[0].shape[:2]
    except Exception as error:
        raise Refused("damaged") from error
    spans = spans.round(4)  # decord keeps float32, exact to a ten-thousandth for some hours.
    end = float(spans[:, 1].max())
    fps = float(reader.get_avg_fps())
    if not (math.isfinite(end) and end > 0 and math.isfinite(fps) and fps > 0):
        raise Refused("damaged")
    found = {"width": width, "height": height, "end": end, "fps": fps, "count": len(reader)}
    if end > request["max_seconds"] or width * height > request["max_pixels"]:
        return found | {"beyond": True}
    chosen = choose(spans[:, 0], end, request["fps"], request["max_frames"])
    write_frames(request, folder / "frames.npy", chosen, width, height)
    return found | {"times": spans[chosen, 0].tolist()}


def open_film(path: str, **size: int) -> decord.VideoReader:
    """Open the pictures of a film."""
    try:
        return decord.VideoReader(path, num_threads=2, fault_tol=FAULTS, **size)
    except Exception as error:
        known = "no_pictures" if "video stream" in str(error) else "damaged"
        raise Refused(known) from error


def has_pictures(path: str) -> bool:
    """Whether a film is hidden in what was given as a recording (cover art is no film)."""
    try:
        return len(decord.VideoReader(path, num_threads=1)) > 1
    except Exception:
        return False


def choose(starts: np.ndarray, end: float, fps: float, max_frames: int) -> np.ndarray:
    """Indices of the frames on show at ``n`` evenly spaced times; ``n`` is even and at least 2.

    Qwen2-VL's rule (``sample_frames``): ``n = ⌊end · fps⌋`` rounded down to even, and time ``i`` is
    ``i · end / n``. By time rather than by index, so that films of uneven rate come out right.
    """
    order = np.argsort(starts, kind="stable")
    count = min(end * fps, max_frames, len(starts))
    count = max(2, int(count + 1e-6) // 2 * 2)
    wanted = np.arange(count) * end / count
    # A thousandth: decord keeps times in float32, and no frame is that short.
    shown = np.searchsorted(starts[order], wanted + 1e-3, side="right") - 1
    return order[np.maximum(shown, 0)]


def write_frames(request: dict, path: Path, chosen: np.ndarray, width: int, height: int) -> None:
    """Decode the chosen frames into an ``.npy`` file: uint8 ``(n, height, width, 3)``."""
    scale = min(1.0, math.sqrt(request["frame_pixels"] / (width * height)))
    if scale < 1:
        width, height = (max(2, int(side * scale) // 2 * 2) for side in (width, height))
    reader = open_film(request["path"], width=width, height=height)
    frames = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.uint8, shape=(len(chosen), height, width, 3)
    )
    try:
        # decord takes the padding of very narrow rows for further channels.
        if reader[0].shape != frames.shape[1:]:
            raise Refused("narrow")
        for first in range(0, len(chosen), CHUNK):
            part = slice(first, first + CHUNK)
            frames[part] = reader.get_batch(chosen[part]).asnumpy()
    except decord.DECORDError as error:
        raise Refused("damaged") from error
    frames.flush()


def read_sound(request: dict, folder: Path) -> dict:
    """Decode the sound track, mono, from second 0 of the file; silence before a late start."""
    rate = request["rate"]
    try:
        reader = decord.AudioReader(request["path"], sample_rate=rate, mono=True)
        reader.add_padding()
        # The whole array as it is: slicing the reader goes through a list of every index.
        samples = reader._array.reshape(-1)
    except Exception as error:
        if request["pictures"]:
            return {"sound": "none" if "audio stream" in str(error) else "unreadable"}
        raise Refused("no_sound" if "audio stream" in str(error) else "damaged") from error
    np.save(folder / "sound.npy", samples.astype(np.float32, copy=False))
    return {"sound": "read"}


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    answer = main(asked)
    (Path(asked["folder"]) / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
