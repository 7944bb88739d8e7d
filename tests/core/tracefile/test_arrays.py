"""``scores.safetensors``: every array is checked against the document."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from tests.core.tracefile.rewriting import entries, refused, rewrite


def with_arrays(path: Path, change) -> Path:
    content = entries(path)
    arrays = {name: array.copy() for name, array in load(content["scores.safetensors"]).items()}
    arrays = change(arrays) or arrays
    return rewrite(path, {**content, "scores.safetensors": save(arrays)})


def put(name: str, at, value):
    return lambda arrays: arrays[name].__setitem__(at, value)


@pytest.mark.parametrize(
    "change",
    [
        put("scores.0", (0, 0), np.nan),
        put("scores.0", (0, 0), np.inf),
        put("scores.1", (0, 0), -1),
        put("own.0", 0, -1),
        put("own.0", 0, np.nan),
        put("timeline.part", 0, 4),
        put("timeline.part", 0, -3),
        put("timeline.part", 2, -1),
        put("timeline.part", 0, 0),
        put("timeline.lane", 0, 5),
        put("timeline.lane", 0, -2),
        put("timeline.lane", 2, 1),
        put("timeline.chars", 2, [0, 900]),
        put("timeline.chars", 2, [5, 4]),
        put("timeline.chars", 2, [-1, 4]),
        put("timeline.chars", 1, [0, 900]),
        put("timeline.chars", 4, [0, 1]),
        put("timeline.seconds", 6, [2.0, 1.0]),
        put("timeline.seconds", 6, [0.0, np.nan]),
        put("timeline.seconds", 6, [0.0, np.inf]),
        put("timeline.seconds", 6, [-1.0, 1.0]),
        put("timeline.seconds", 6, [0.0, 1e30]),
        put("timeline.box", 4, [0.0, 0.0, -1.0, 1.0]),
        put("timeline.box", 4, [5.0, 0.0, 1.0, 1.0]),
        lambda arrays: arrays.pop("scores.1") is None,
        lambda arrays: arrays.pop("timeline.box") is None,
        lambda arrays: arrays.pop("timeline.part") is None,
        lambda arrays: {**arrays, "more": np.zeros(1)},
        lambda arrays: {**arrays, "scores.0": arrays["scores.0"].astype(np.float32)},
        lambda arrays: {**arrays, "scores.0": arrays["scores.0"][:, 1:]},
        lambda arrays: {**arrays, "scores.0": arrays["scores.0"][1:]},
        lambda arrays: {**arrays, "own.0": arrays["own.0"][:, None]},
        lambda arrays: {**arrays, "timeline.part": arrays["timeline.part"][:-1]},
        lambda arrays: {**arrays, "timeline.part": np.array(0, np.int16)},
        lambda arrays: {**arrays, "timeline.chars": arrays["timeline.chars"].ravel()},
        lambda arrays: {"more": np.zeros(1)},
    ],
)
def test_every_array_is_checked(saved: Path, change):
    refused(with_arrays(saved, change), "cannot be opened")


@pytest.mark.parametrize(
    "plain", [b"", b"\x80\x04pickle.", b"\xff" * 64, b"\x08" + b"\0" * 7 + b"{}"]
)
def test_scores_that_are_none(saved: Path, plain: bytes):
    refused(rewrite(saved, {**entries(saved), "scores.safetensors": plain}), "cannot be opened")
