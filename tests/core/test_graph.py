"""The compiled step: one graph (``fullgraph=True``), over a static cache, with rows as before."""

import copy
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from core.decoding import trace
from core.media import Limits
from core.models.graph import room_for
from core.models.qwen2_5_omni import Qwen25Omni
from core.models.registry import load_model
from core.prompt import Prompt
from core.signals.recorder import Recorder
from core.trace import Trace
from tests.core.tiny import tiny_model
from tests.core.tiny_multimodal import any_family


@pytest.fixture(scope="module")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    folder, random = tmp_path_factory.mktemp("graph"), np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (90, 150, 3), np.uint8)).save(folder / "a.png")
    return Prompt.of("What is there?", ["A dog barks.", folder / "a.png"])


def both_ways(model, prompt: Prompt, **options) -> tuple[Trace, Trace]:
    """Traced the plain way, and compiled without a warning."""
    plain = trace(model, prompt, max_new_tokens=6, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return plain, trace(model, prompt, max_new_tokens=6, compiled=True, **options)


def assert_alike(plain: Trace, compiled: Trace) -> None:
    assert compiled.tokens == plain.tokens and compiled.stopped == plain.stopped
    for name in plain.signals:
        rows, others = (t.scores[name].astype(np.float32) for t in (plain, compiled))
        # Both were rounded to float16 on the way: 1e-5 beside what that may do to either.
        assert np.abs(rows - others).max() <= 1e-5 + np.abs(rows).max() * 2**-10
        assert np.allclose(plain.own[name], compiled.own[name], atol=1e-5)


@pytest.mark.parametrize("which", ["tiny", "embedded"])
def test_a_compiled_step_gives_the_same_tokens_and_rows(which: str, prompt: Prompt):
    model = tiny_model() if which == "tiny" else load_model("embedded", device="cpu")
    assert_alike(*both_ways(model, prompt))


def test_rows_of_one_graph_are_those_of_the_layers_to_1e_5(prompt: Prompt):
    """Before anything is rounded; the room that is left has no attention."""
    model = tiny_model()
    prepared = model.prepare(prompt, limits=Limits())
    n = len(prepared.timeline)
    plain, graph = model.start(prepared), model.start_graph(prepared, positions=n + 4)
    recorder = Recorder(model.text_model)
    rows = torch.full((3, graph.room), torch.nan)
    with recorder.listen():
        token = int(plain.read_prompt().argmax())
        graph.read_prompt()
    for step in range(1, 5):
        with recorder.listen():
            written = graph.read_token_into(token, rows)
            logits = plain.read_token(token)
        assert (recorder.step(n + step).rows - rows[:, : n + step]).abs().max() <= 1e-5
        assert (rows[:, n + step :] == 0).all() and torch.allclose(rows.sum(1), torch.ones(3))
        assert torch.allclose(logits, written, atol=1e-4)
        token = int(logits.argmax())


@pytest.mark.parametrize(("family", "media"), [("llama", False), ("qwen2_5_vl", True)])
def test_any_family_with_a_plain_cache_can(family: str, media: bool, prompt: Prompt):
    given = prompt if media else Prompt.of("Say.", ["A dog barks."])
    assert_alike(*both_ways(any_family(family), given))


@pytest.mark.parametrize(
    ("family", "signal", "reason"),
    [
        ("gemma2", "attmean", "computed in a way of its own"),
        ("qwen3_next", "attmean", "do not keep the keys and values of all positions"),
        ("llama", "attgrads_last", "needs more than rows"),
    ],
)
def test_what_cannot_is_traced_the_plain_way_and_says_why(family: str, signal: str, reason: str):
    given = Prompt.of("Say.", ["A dog barks."])
    plain = trace(any_family(family), given, signals=(signal,), max_new_tokens=4)
    with pytest.warns(RuntimeWarning, match=f"is not compiled: .*{reason}.* the plain way"):
        fallen = trace(
            any_family(family), given, signals=(signal,), max_new_tokens=4, compiled=True
        )
    assert fallen.tokens == plain.tokens
    assert np.array_equal(fallen.scores[signal], plain.scores[signal])


def test_what_the_compiler_refuses_is_read_the_plain_way_from_there_on(prompt: Prompt):
    """A layer that asks its values in the middle, which no graph can."""
    thinker = copy.deepcopy(tiny_model().thinker)
    model = Qwen25Omni(thinker, tiny_model().processor, name="asking")
    plain = trace(model, prompt, max_new_tokens=5)
    layer = model.text_model.layers[1]
    forward = layer.forward

    def asking(hidden_states: torch.Tensor, **options):
        out = forward(hidden_states, **options)
        return out * 1 if float(out.sum()) > 0 else out

    layer.forward = asking
    with pytest.warns(RuntimeWarning, match="asking is not compiled"):
        fallen = trace(model, prompt, max_new_tokens=5, compiled=True)
    assert_alike(plain, fallen)


def test_prompts_of_nearly_one_length_share_a_graph():
    assert [room_for(n) for n in (1, 64, 65, 300, 1_025, 8_192, 8_300, 30_256)] == [
        64, 64, 128, 320, 1_280, 8_192, 10_240, 32_768,
    ]  # fmt: skip
