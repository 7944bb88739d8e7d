"""Answers given and answers verified: teacher forcing is token-exact and gives the same rows."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.cli import main
from core.decoding import loop, stream, trace
from core.errors import InputError, LimitError, ModelError
from core.models.qwen2_5_omni import Qwen25Omni
from core.prompt import Prompt
from core.signals.registry import SIGNALS
from core.trace import Generation, Trace
from tests.core.tiny import tiny_model, tiny_thinker

PROMPT = Prompt.of("What is there?", ["A dog barks.\nB. blue"])
SAID = "The dog says:  naïve, 红色 and <|im_end|> – twice.\n\nThe answer is B."


def with_heads(**text: object) -> Qwen25Omni:
    shared = tiny_model()
    thinker = tiny_thinker(shared.processor.tokenizer, **text).requires_grad_(False)
    chosen = ((0, 1), (2, 3))
    return Qwen25Omni(thinker, shared.processor, name="tiny", chosen_heads=chosen)


def test_the_answer_is_spelled_exactly_by_the_models_own_tokens():
    made = trace(tiny_model(), PROMPT, response=SAID)
    assert made.answer == SAID and made.given and made.stopped == "end"
    codec = tiny_model().processor.tokenizer
    assert [t.id for t in made.tokens][:3] == codec.encode(SAID)[:3]
    assert all(token.text == SAID[token.start : token.end] for token in made.tokens)
    covered = set().union(*(range(token.start, token.end) for token in made.tokens))
    assert covered == set(range(len(SAID)))
    control = tiny_model().processor.tokenizer.all_special_ids
    assert not {token.id for token in made.tokens} & set(control)


def test_settings_of_generation_do_not_cut_it():
    made = trace(tiny_model(), PROMPT, response=SAID, max_new_tokens=2)
    assert made.answer == SAID


@pytest.mark.parametrize("signals", [("attmean", "rawatt"), tuple(SIGNALS)], ids=["rows", "all"])
def test_its_own_answer_given_back_has_the_same_scores(signals: tuple[str, ...]):
    """Free decoding, one token at a time, is the second implementation."""
    model = with_heads()
    free = trace(model, PROMPT, signals=signals, max_new_tokens=20)
    words = [token for token in free.tokens if token.text]
    given = trace(model, PROMPT, signals=signals, response=free.answer)
    shared = 0
    for one, other in zip(words, given.tokens, strict=False):
        if one.id != other.id:  # The model may spell a word in pieces that no tokenizer would.
            break
        shared += 1
    assert shared >= 3
    for name in signals:
        one, other = (t.scores[name][:shared].astype(np.float32) for t in (free, given))
        assert np.allclose(one, other, rtol=2e-3, atol=1e-5)
        assert np.allclose(free.own[name][:shared], given.own[name][:shared], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("text", [{}, {"use_sliding_window": True, "sliding_window": 9}])
def test_many_tokens_a_pass_give_the_rows_of_one_a_pass(text: dict, monkeypatch):
    model = with_heads(**text, **({"max_window_layers": 1} if text else {}))
    many = trace(model, PROMPT, response=SAID)
    assert len(many.tokens) > loop._AT_ONCE + 1
    monkeypatch.setattr(loop, "_AT_ONCE", 1)
    one = trace(model, PROMPT, response=SAID)
    for name in many.signals:
        difference = many.scores[name].astype(float) - one.scores[name]
        assert np.abs(difference).max() < 5e-4  # What float16 leaves.
        assert np.allclose(many.own[name], one.own[name], atol=1e-5)


def test_a_stream_of_it_tells_every_token():
    steps = list(stream(tiny_model(), PROMPT, response="The dog."))
    stages = [step.stage for step in steps]
    count = len(steps[-1].snapshot().tokens)
    assert stages == ["reading", "encoding", *["decoding"] * count, "done"]
    assert steps[-2].total == count and steps[-1].answer == "The dog."
    assert steps[3].snapshot().given


@pytest.mark.parametrize("empty", ["", " \n"])
def test_an_empty_answer_is_refused(empty: str):
    with pytest.raises(InputError, match="empty"):
        trace(tiny_model(), PROMPT, response=empty)


def test_an_answer_that_does_not_fit_is_refused():
    model = tiny_model()
    small = Qwen25Omni(model.thinker, model.processor, name="small")
    small.context = 60
    with pytest.raises(LimitError, match="shorter"):
        trace(small, PROMPT, response="dog " * 60)


def test_a_traced_answer_is_the_untraced_one():
    sampled = Generation(max_new_tokens=12, temperature=1.3, seed=3)
    for generation in (Generation(max_new_tokens=12), sampled):
        for signals in (("attmean",), ("attgrads_all",)):
            made = trace(tiny_model(), PROMPT, signals=signals, generation=generation, verify=True)
            assert made.as_untraced is True
    assert trace(tiny_model(), PROMPT, max_new_tokens=2).as_untraced is None


def test_another_answer_than_untraced_is_stated(monkeypatch):
    """A tap that disturbed the run would be told: here one that silences a token."""
    model, put = tiny_model(), loop._Tracing._next
    monkeypatch.setattr(loop._Tracing, "_next", lambda self, logits: put(self, -logits))
    made = trace(model, PROMPT, max_new_tokens=4, verify=True)
    assert made.as_untraced is False


def test_a_given_answer_is_not_verified():
    with pytest.raises(InputError, match="verified"):
        trace(tiny_model(), PROMPT, response="The dog.", verify=True)


def test_the_signal_heads_asks_for_chosen_heads():
    with pytest.raises(ModelError, match="No heads have been chosen"):
        trace(tiny_model(), PROMPT, signals=("heads",))


def test_the_command_line_traces_answers_of_samples(tmp_path: Path, capsys):
    sample = {"prompt": "Summarise the text.", "question": [{"text": "Tom sold hats."}]}
    path, out = tmp_path / "samples.json", tmp_path / "out"
    path.write_text(json.dumps([{**sample, "answer": "Tom sold hats."}, sample]))
    assert main(["trace", str(path), "--out", str(out), "--response-key", "answer"]) == 1
    assert "no answer under 'answer'" in capsys.readouterr().err
    (made,) = out.glob("*.omnitrace")
    assert Trace.load(made).answer == "Tom sold hats." and Trace.load(made).given
    assert main(["explain", str(made)]) == 0
    assert "given, not generated" in capsys.readouterr().out


def test_the_command_line_verifies(tmp_path: Path, capsys):
    sample = {"prompt": "Summarise the text.", "question": [{"text": "Tom sold hats."}]}
    (tmp_path / "s.json").write_text(json.dumps([sample]))
    arguments = ["trace", str(tmp_path / "s.json"), "--out", str(tmp_path), "--verify"]
    assert main([*arguments, "--max-new-tokens", "5"]) == 0
    assert "1 of 1 answers equal the untraced ones" in capsys.readouterr().err
