"""Long inputs, really run: ``python -m core bench long [--json] [--tokens N]``.

The embedded model reads five minutes of sound, a film of 768 frames, and a text of 8,000 positions,
of which 512 tokens are answered; printed are positions, seconds, the process's growth, and the size
of the trace file without its media, beside that of its rows uncompressed. (What the model says of
them is nothing: it is the size that is tried. Its context is widened for it.)
"""

from __future__ import annotations

import json as json_module
import subprocess
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile

from core.benchmarks.decoding import peak_of
from core.benchmarks.prompts import prompt_of
from core.decoding import trace
from core.errors import MissingExtraError
from core.models.base import TracedModel
from core.models.registry import load_model
from core.prompt import Prompt
from core.trace import Trace
from core.tracefile.archive import ARRAYS

SOUND_SECONDS, FRAMES, POSITIONS, TOKENS = 300, 768, 8_000, 512
CONTEXT = 16_384


def run(*, json: bool, tokens: int = TOKENS) -> int:
    """Print a row for each long input; ``tokens``: of the answer to the text.

    Raises:
        MissingExtraError: ffmpeg, which makes the film, is not there.
    """
    model = load_model("embedded", device="cpu")
    model.context, model.stop_tokens = CONTEXT, frozenset()
    with TemporaryDirectory(prefix="omnitrace-") as name:
        folder = Path(name)
        sound = Prompt.of("What is said?", [_sound(folder / "long.wav")])
        film = Prompt.of("What is shown?", [_film(folder / "long.mp4")])
        asked = [
            (f"{SOUND_SECONDS // 60} minutes of sound", sound, 16),
            (f"film of {FRAMES} frames", film, 16),
            ("text", prompt_of(model, POSITIONS), tokens),
        ]
        rows = [_row(model, what, prompt, most, folder) for what, prompt, most in asked]
    if json:
        print(json_module.dumps(rows, indent=1))
        return 0
    print(f"{'':<22}{'P':>7}{'T':>5}{'seconds':>9}{'peak MB':>9}{'rows MB':>9}{'in file':>9}")
    for row in rows:
        print(
            f"{row['what']:<22}{row['P']:>7}{row['T']:>5}{row['seconds']:>9}{row['peak_mb']:>9}"
            f"{row['rows_mb']:>9}{row['file_mb']:>9}"
        )
    return 0


def _row(
    model: TracedModel, what: str, prompt: Prompt, tokens: int, folder: Path
) -> dict[str, Any]:
    made: list[Trace] = []
    start = time.perf_counter()
    peak = peak_of(lambda: made.append(trace(model, prompt, max_new_tokens=tokens)))
    seconds = time.perf_counter() - start
    (one,) = made
    rows = sum(scores.nbytes for scores in one.scores.values())
    return {
        "what": what,
        "P": len(one.timeline),
        "T": len(one.tokens),
        "notes": [note for info in one.media for note in info.notes],
        "seconds": round(seconds, 1),
        "peak_mb": round(peak / 1e6, 1),
        "rows_mb": round(rows / 1e6, 2),
        "file_mb": round(_without_media(one.save(folder / "long.omnitrace")) / 1e6, 2),
    }


def _without_media(path: Path) -> int:
    """Bytes of a trace file's own entries."""
    with zipfile.ZipFile(path) as archive:
        kept = [entry for entry in archive.infolist() if not entry.filename.startswith("media/")]
        assert ARRAYS in [entry.filename for entry in kept]
        return sum(entry.compress_size for entry in kept)


def _sound(path: Path) -> Path:
    samples = np.random.default_rng(0).standard_normal(SOUND_SECONDS * 16_000) * 0.05
    soundfile.write(path, samples.astype(np.float32), 16_000)
    return path


def _film(path: Path) -> Path:
    """Two frames a second, as many as the model is to see."""
    source = f"testsrc=size=84x84:rate=2:duration={FRAMES / 2:g}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", path]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError as error:
        raise MissingExtraError("This bench makes a film with ffmpeg: install it.") from error
    return path
