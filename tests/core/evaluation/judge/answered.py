"""Traces made by hand, of two sentences, with real media, and the labels that are right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from core.evaluation.labels import Interval, Label, answer_id
from core.prompt import AudioPart, ImagePart, Prompt, VideoPart
from core.trace import Trace
from tests.core.handmade import PROMPT, ROWS, trace_of

FILM = Path(__file__).parents[3] / "data" / "media" / "colours.mp4"


def answered(folder: Path, instruction: str = PROMPT.instruction, **changes) -> Trace:
    """All four kinds of parts: text p0.0 and p0.1, picture p1.0, recording p2, film p3."""
    picture, sound = folder / "a.png", folder / "b.wav"
    Image.new("RGB", (84, 84), "red").save(picture)
    soundfile.write(sound, np.sin(np.arange(24_000) / 9), 16_000)
    parts = (
        PROMPT.parts[0],
        ImagePart(picture, "a.png"),
        AudioPart(sound, "b.wav"),
        VideoPart(FILM, "c.mp4"),
    )
    pieces = ("Cats", " sat", ". ", "Dogs", " ran", ".")
    scores = np.zeros((len(pieces), len(ROWS)))
    scores[:3, 2], scores[3:, 6] = 0.5, 0.5
    made = {"prompt": Prompt(instruction, parts), **changes}
    return trace_of(scores, *pieces, **made)


def right(trace: Trace) -> tuple[Label, Label]:
    """The first sentence is the text's, the second the recording's and the film's."""
    made = Label(answer_id(trace), 0, "Cats sat.", ("p0.0",), (), "generator", "hand")
    heard = (Interval(2, 0.0, 1.0, "audio"), Interval(3, 0.5, 2.0, "video_sound"))
    return made, replace(made, span=1, text="Dogs ran.", units=(), intervals=heard)
