"""Memory that really runs out: before the first token, in the middle of an answer, in a batch."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from core.batch.task import Recipe, attempt, plan
from core.cli import main
from core.decoding import trace
from core.decoding.shortage import is_shortage
from core.errors import LimitError
from core.explain import explain
from core.prompt import Prompt
from core.samples import read_samples
from core.trace import Generation, Trace
from tests.core.tiny import tiny_model

ROOT = Path(__file__).parents[2]
PROMPT = Prompt.of("Say.", ["A dog barks. A cat sleeps."])


@contextmanager
def short_at(call: int) -> Iterator[None]:
    """In so many calls of the last layer, from 1, the allocator is asked for a petabyte."""
    calls = 0

    def ask(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            torch.empty(2**50, dtype=torch.uint8)

    hook = tiny_model().text_model.layers[-1].register_forward_pre_hook(ask)
    try:
        yield
    finally:
        hook.remove()


def test_the_tokens_so_far_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    whole = trace(tiny_model(), PROMPT, max_new_tokens=8)
    with short_at(6):  # The prompt, then four tokens.
        partial = trace(tiny_model(), PROMPT, max_new_tokens=8)
    assert partial.stopped == "memory" and partial.tokens == whole.tokens[:5]
    assert partial.shortage.startswith("Memory ran out after 5 tokens, which are kept. Use fewer")
    assert np.array_equal(partial.scores["attmean"], whole.scores["attmean"][:5])
    back = Trace.load(partial.save(tmp_path / "p.omnitrace"), tmp_path / "media")
    assert (back.stopped, back.shortage) == ("memory", partial.shortage)
    assert len(explain(back).spans) >= 1
    main(["explain", str(tmp_path / "p.omnitrace")])
    assert f"({partial.shortage})" in capsys.readouterr().out
    # The model is as it was, and so is the next answer.
    assert trace(tiny_model(), PROMPT, max_new_tokens=8).tokens == whole.tokens


def test_a_gradient_signal_is_named_as_what_would_take_less():
    with short_at(8):
        partial = trace(tiny_model(), PROMPT, signals=("attgrads_all",), max_new_tokens=8)
    assert "a signal without gradients" in partial.shortage


def test_before_the_first_token_it_is_an_error():
    with (
        short_at(1),
        pytest.raises(LimitError, match=r"while the prompt of \d+ positions was read"),
    ):
        trace(tiny_model(), PROMPT, max_new_tokens=8)


def test_an_answer_that_could_not_be_verified_is_whole_all_the_same():
    with short_at(7):  # The prompt and three tokens; the same again, untraced.
        made = trace(tiny_model(), PROMPT, max_new_tokens=4, verify=True)
    assert made.stopped == "length" and len(made.tokens) == 4 and made.as_untraced is None
    assert "while the answer was verified" in made.shortage


def test_other_errors_stay_what_they_are():
    assert is_shortage(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    assert is_shortage(MemoryError()) and is_shortage(RuntimeError("std::bad_alloc"))
    assert not is_shortage(RuntimeError("The size of tensor a (6) must match"))
    assert not is_shortage(ValueError("out of memory"))


def test_a_batch_keeps_the_partial_trace_and_tries_again(tmp_path: Path):
    entries = [{"id": 7, "prompt": "Say.", "question": [{"text": "A dog barks."}]}]
    (tmp_path / "samples.json").write_text(json.dumps(entries))
    recipe = Recipe(("attmean",), Generation(max_new_tokens=8))
    samples = read_samples(tmp_path / "samples.json")
    (task,) = plan(samples, tmp_path, recipe, model="tiny")
    with short_at(4):
        attempt(task, tiny_model())
    assert not task.done and task.failure.startswith("Memory ran out after 3 tokens")
    assert task.partial.name in task.failure
    assert len(Trace.load(task.partial, tmp_path / "media").tokens) == 3
    attempt(task, tiny_model())
    assert task.done and not task.partial.exists() and task.failure is None


IN_LITTLE_ROOM = """
import resource
from core import OmniTraceError, Prompt, load_model, trace
model = load_model("embedded")
prompt = Prompt.of("Summarise the text.", ["Anna cooked seven leaves on Wednesday. " * 700])
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 40_000_000, resource.RLIM_INFINITY))
try:
    trace(model, prompt, max_new_tokens=4)
except OmniTraceError as error:
    print(error)
"""


def test_a_process_without_room_for_the_prompt_says_so():
    ran = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_ROOM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.stdout.startswith("Memory ran out while the prompt of "), ran.stderr[-2000:]
