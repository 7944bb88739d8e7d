"""Causally: change a patch, a second or a step of the medium, and the positions move that name it.

What enters the first layer of the text model is compared, so that the processor, the encoder and
the order in which its output fills the prompt are all tested at once.
"""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from core.media import Limits
from core.models.base import Prepared
from core.models.generic import GenericModel, media
from core.models.generic.model import WHOLE
from core.prompt import Prompt
from core.timeline import LANES
from tests.core.tiny_multimodal import KINDS, any_family

FILM = Path(__file__).parents[2] / "data" / "media" / "mute.mp4"
RATE = 16_000


def taking(kind: str) -> list[str]:
    return [name for name, several in KINDS.items() if any(kind in one.split() for one in several)]


def entering(model: GenericModel, prepared: Prepared) -> torch.Tensor:
    """What the first layer of the text model is given: ``(n_prompt, width)``."""
    taken = []
    handle = model.text_model.layers[0].register_forward_pre_hook(
        lambda _, args, kwargs: taken.append((args or tuple(kwargs.values()))[0]),
        with_kwargs=True,
    )
    try:
        model.start(prepared).read_prompt()
    finally:
        handle.remove()
    states = taken[0]
    return states.reshape(-1, *states.shape[-2:])[0]


def most_moved(model: GenericModel, one: Prepared, other: Prepared, lane: str) -> np.ndarray:
    """Positions of a lane, those that moved most first."""
    assert torch.equal(one.inputs["input_ids"], other.inputs["input_ids"])
    assert WHOLE not in one.media[1].notes  # Else anything would be right.
    moved = (entering(model, one) - entering(model, other)).norm(dim=-1).numpy()
    held = np.isin(one.inputs["input_ids"][0], list(model._reader.positions_of))
    assert moved[~held].max() == 0  # Text and structure stay what they are.
    at = np.flatnonzero(one.timeline.lane == LANES.index(lane))
    return at[np.argsort(-moved[at])]


def picture(folder: Path, spot: tuple[int, int, int, int] | None) -> Path:
    """A landscape of noise, in which a spot may be inverted."""
    pixels = np.random.default_rng(0).integers(0, 255, (96, 160, 3), np.uint8)
    if spot is not None:
        x0, y0, x1, y1 = spot
        pixels[y0:y1, x0:x1] = 255 - pixels[y0:y1, x0:x1]
    Image.fromarray(pixels).save(folder / "a.png")
    return folder / "a.png"


@pytest.mark.parametrize("name", taking("image"))
@pytest.mark.parametrize("corner", [0.1, 0.5, 0.9])
def test_a_changed_patch_moves_the_positions_that_show_it(name: str, corner: float, tmp_path: Path):
    model = any_family(name)
    plain = model.prepare(Prompt.of("See.", ["x", picture(tmp_path, None)]), limits=Limits())
    at = np.flatnonzero(plain.timeline.lane == LANES.index("image"))
    boxes = plain.timeline.box[at]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    finest = boxes[areas <= areas.min() * 1.01]
    target = finest[round(corner * (len(finest) - 1))]
    inner = np.round(target[:2] + (target[2:] - target[:2]) * 0.2).astype(int)
    outer = np.round(target[2:] - (target[2:] - target[:2]) * 0.2).astype(int)
    changed = model.prepare(
        Prompt.of("See.", ["x", picture(tmp_path, (*inner, *outer))]), limits=Limits()
    )
    x, y = (inner + outer) / 2
    showing = {
        position
        for position, (x0, y0, x1, y1) in zip(at, boxes, strict=True)
        if x0 <= x < x1 and y0 <= y < y1
    }
    most = most_moved(model, plain, changed, "image")
    if name == "gemma3n":
        # A convolutional tower: random weights may carry a change to a neighbouring cell.
        x0, y0, x1, y1 = plain.timeline.box[most[0]]
        assert x0 - (x1 - x0) <= x <= x1 + (x1 - x0) and y0 - (y1 - y0) <= y <= y1 + (y1 - y0)
    else:
        assert set(most[: len(showing)]) == showing


def recording(folder: Path, second: int | None) -> Path:
    """Six and a half seconds of noise, of which one second may be other noise."""
    random = np.random.default_rng(1)
    samples = random.standard_normal(round(6.5 * RATE)) * 0.1
    if second is not None:
        samples[second * RATE : (second + 1) * RATE] = random.standard_normal(RATE) * 0.1
    soundfile.write(folder / "a.wav", samples, RATE, "FLOAT")
    return folder / "a.wav"


@pytest.mark.parametrize("name", taking("audio"))
@pytest.mark.parametrize("second", [0, 2, 5])
def test_a_changed_second_moves_the_positions_that_hear_it(name: str, second: int, tmp_path: Path):
    model = any_family(name)
    plain, changed = (
        model.prepare(Prompt.of("Hear.", ["x", recording(tmp_path, one)]), limits=Limits())
        for one in (None, second)
    )
    start, end = plain.timeline.seconds.T
    hearing = set(np.flatnonzero((end > second + 0.02) & (start < second + 0.98)))
    most = set(most_moved(model, plain, changed, "audio")[: len(hearing)])
    # At the ends, convolutions carry a little of the second to its neighbours.
    assert len(most & hearing) >= 0.85 * len(hearing)
    assert np.nanmax(end) <= 6.5 + 1e-5 and np.nanmin(start) == 0


@pytest.mark.parametrize("name", taking("video"))
def test_a_changed_frame_moves_the_positions_of_its_seconds(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    model, load = any_family(name), media.load_part
    plain = model.prepare(Prompt.of("Watch.", ["x", FILM]), limits=Limits())

    def inverted(part, **options):
        film = load(part, **options)
        film.frames[-1] = 255 - film.frames[-1]
        return film

    monkeypatch.setattr(media, "load_part", inverted)
    changed = model.prepare(Prompt.of("Watch.", ["x", FILM]), limits=Limits())
    seconds = plain.timeline.seconds
    latest = set(np.flatnonzero(seconds[:, 0] == np.nanmax(seconds[:, 0])))
    assert set(most_moved(model, plain, changed, "video_frames")[: len(latest)]) == latest
    assert np.nanmin(seconds[:, 0]) == 0
