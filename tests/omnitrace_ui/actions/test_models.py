"""The model picker: what may be loaded, what is said meanwhile, what goes out of memory."""

import threading
import time
import weakref
from functools import partial
from pathlib import Path

import pytest

import app
from core.errors import ModelError
from core.models.registry import available_models, load_model
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.models import facts, in_memory, load, model_choices
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import GivenPart
from tests.core.tiny import save_tiny, tiny_model


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root = tmp_path_factory.mktemp("models")
    return str(save_tiny(root / "one")), str(save_tiny(root / "other"))


@pytest.fixture
def open_engine() -> Engine:
    """As ``--any-model`` makes it."""
    return Engine({"tiny": tiny_model}, any_model=lambda name: partial(load_model, name))


def loaded(engine: Engine) -> list[str]:
    return [model.info.name for model in engine.loaded]


def test_what_was_not_offered_is_not_loaded(folders):
    engine = Engine({"tiny": tiny_model})
    assert model_choices(engine) == [("tiny", "tiny")]
    for name in (*folders, "embedded", "HuggingFaceTB/SmolLM2-135M-Instruct", "/etc", ""):
        with pytest.raises(ModelError, match=r"No model .* here. Offered: tiny\."):
            list(engine.loading(name))
    assert engine.loaded == ()


def test_any_model_may_be_named_where_the_operator_says_so(open_engine, folders):
    names = [name for _, name in model_choices(open_engine)]
    assert names == ["tiny", *(known.name for known in available_models())]
    assert in_memory(open_engine) == ("No model is in memory yet.", "")
    *_, line = load(open_engine, folders[0])
    assert line == in_memory(open_engine) and line[0].startswith("one: ")
    assert folders[0] not in line[0]


def test_a_model_that_was_named_makes_room_for_the_next_one(open_engine, folders):
    list(load(open_engine, "tiny"))
    list(load(open_engine, folders[0]))
    first = weakref.ref(open_engine.loaded[-1])
    assert loaded(open_engine) == ["tiny", "one"]
    list(load(open_engine, folders[0]))
    list(load(open_engine, "one"))
    assert open_engine.loaded[-1] is first(), "it is not read twice"
    list(load(open_engine, folders[1]))
    assert loaded(open_engine) == ["tiny", "other"]
    assert first() is None, "its memory is free"


@pytest.mark.parametrize("name", ["nobody/nothing-of-the-kind", "gpt", "/etc", "../x", "", None])
def test_what_cannot_be_had_is_one_line_at_once_and_frees_nothing(open_engine, folders, name):
    list(load(open_engine, folders[0]))
    begun = time.monotonic()
    *_, (text, note) = load(open_engine, name)
    assert time.monotonic() - begun < 10, "as long as one wait for the hub"
    assert "\n" not in text and not note
    assert "not on this machine, and the hub cannot be reached" in text or "o model" in text
    assert loaded(open_engine) == ["one"]


def test_every_stage_is_told_while_it_lasts():
    seen = {"fetching": threading.Event(), "reading": threading.Event()}

    def slow(*, on_stage):
        for stage, told in seen.items():
            on_stage(stage)
            assert told.wait(60)
        return tiny_model()

    texts = []
    for text, note in load(Engine({"slow": slow}), "slow"):
        texts.append(text)
        assert note.endswith(" s") or text.startswith("tiny")
        if "downloading" in text:
            seen["fetching"].set()
        if "reading" in text:
            seen["reading"].set()
    assert texts[0] == "Loading slow: downloading its files"
    assert "Loading slow: reading its weights" in texts and texts[-1].startswith("tiny: ")


def test_the_registry_tells_its_stages(folders):
    stages = []
    load_model(folders[0], on_stage=stages.append)
    assert stages == ["finding", "reading"]
    stages.clear()
    with pytest.raises(ModelError):
        load_model("nobody/nothing-of-the-kind", on_stage=stages.append)
    assert stages == ["finding"]


def test_size_place_and_numbers_are_told():
    model = tiny_model()
    count = sum(weight.numel() for weight in model.thinker.parameters())
    assert model.weight_bytes == 4 * count
    said = f"{count / 1e6:.1f} million parameters, {4 * count / 1e6:.0f} MB, on cpu, float32"
    assert facts(model) == f"tiny: {said}"


def test_a_folder_can_be_traced_with(open_engine, folders, explore, request_of):
    here = Explore(Site(open_engine, explore.site.store))
    visitor = Visitor()
    form = GivenPart("t", "text", text="Anna has a red ball.")
    *_, last = here.generator.run(visitor, request_of(form, model=folders[0]))
    assert last.view["status"]["phase"] == "done" and visitor.trace.model.name == "one"


@pytest.mark.parametrize(
    "argv", [["--host", "0.0.0.0"], ["--allow-host", "example.org"], ["--host", "192.168.0.2"]]
)
def test_the_program_lets_nobody_else_name_models(argv, capsys):
    assert app.main(["--any-model", *argv]) == 1
    assert "--any-model" in capsys.readouterr().err


def test_a_space_never_takes_any_model(monkeypatch, capsys):
    monkeypatch.setenv("SPACE_HOST", "somebody-omnitrace.hf.space")
    assert app.main(["--any-model", "--host", "127.0.0.1"]) == 1
    assert "any folder of this machine" in capsys.readouterr().err
