"""A server without its page: a tiny random model, real files, real folders."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from core.trace import Generation
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.generate import Request
from omnitrace_ui.session import Store
from omnitrace_ui.views import GivenPart
from tests.core.tiny import tiny_model


@pytest.fixture
def explore(tmp_path: Path) -> Explore:
    root = tmp_path / "root"
    root.mkdir()
    return Explore(Site(Engine({"tiny": tiny_model}), Store(root)))


@pytest.fixture
def files(explore: Explore) -> dict[str, Path]:
    """A picture and a recording, as gradio stores uploads."""
    folder = explore.site.store.root / "upload"
    folder.mkdir()
    picture, sound = folder / "a.png", folder / "b.wav"
    Image.new("RGB", (84, 56), "teal").save(picture)
    soundfile.write(sound, 0.3 * np.sin(np.arange(16000) / 9), 16000)
    return {"image": picture, "audio": sound}


@pytest.fixture
def request_of(files: dict[str, Path]):
    """A request for a mixed prompt; random weights rarely end an answer before its limit."""

    def make(*form: GivenPart, tokens: int = 24, **changes) -> Request:
        given = form or (
            GivenPart("t", "text", text="Anna has a red ball. Bob has a blue car."),
            GivenPart("i", "image", path=files["image"], name="a.png"),
            GivenPart("a", "audio", path=files["audio"], name="b.wav"),
        )
        values = {
            "instruction": "Describe all.",
            "form": list(given),
            "model": "tiny",
            "signals": ("attmean", "rawatt"),
            "generation": Generation(max_new_tokens=tokens),
        }
        return Request(**(values | changes))

    return make
