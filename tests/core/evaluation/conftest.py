"""One given answer over a text, a picture and a recording, traced by a tiny random model."""

import numpy as np
import pytest
import soundfile
from PIL import Image

from core.decoding import trace
from core.prompt import Prompt
from core.trace import Trace
from tests.core.tiny import tiny_model


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    folder, random = tmp_path_factory.mktemp("prompt"), np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (60, 90, 3), np.uint8)).save(folder / "a.png")
    soundfile.write(folder / "a.wav", random.standard_normal(24_000) * 0.1, 16_000)
    parts = ["A dog barks.\nB. blue", folder / "a.png", folder / "a.wav"]
    given = "A dog barks. The answer is B."
    return trace(tiny_model(), Prompt.of("What?", parts), response=given)
