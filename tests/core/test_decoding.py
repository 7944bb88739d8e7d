"""Traced decoding against generate, eager attention, and transformers' own choosers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers import (
    NoRepeatNGramLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from core.decoding import stream, trace
from core.decoding.choice import Chooser
from core.decoding.text import AnswerText
from core.errors import InputError, ModelError
from core.media import Limits
from core.models.qwen2_5_omni import Qwen25Omni
from core.prompt import Prompt
from core.signals.attention import att_mean, raw_att
from core.signals.recorder import Recorder
from core.trace import Generation, Trace
from tests.core.tiny import tiny_model, tiny_thinker

MEDIA = Path(__file__).parents[1] / "data" / "media"
TOKENS = 12


@pytest.fixture(scope="module")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    """All four kinds, a film with sound among them."""
    folder, random = tmp_path_factory.mktemp("prompt"), np.random.default_rng(0)
    Image.fromarray(random.integers(0, 255, (90, 150, 3), np.uint8)).save(folder / "a.png")
    soundfile.write(folder / "a.wav", random.standard_normal(20_000) * 0.1, 16_000)
    parts = ["A dog barks.", folder / "a.png", folder / "a.wav", MEDIA / "colours.mp4"]
    return Prompt.of("What is there?", parts)


def generated(model: Qwen25Omni, prompt: Prompt, implementation: str = "sdpa", **options):
    """Plain ``generate`` of a separate copy of the model on the same inputs."""
    thinker = tiny_thinker(model.processor.tokenizer)
    thinker.set_attn_implementation({"text_config": implementation})
    inputs = dict(model.prepare(prompt, limits=Limits()).inputs)
    inputs.pop("offset"), inputs.pop("position_ids")
    film = "pixel_values_videos" in inputs
    if film:
        inputs["video_second_per_grid"] = torch.tensor([1.0])
    return thinker.generate(
        **inputs,
        attention_mask=torch.ones_like(inputs["input_ids"]),
        use_audio_in_video=film,
        max_new_tokens=TOKENS,
        do_sample=False,
        **options,
    )


def test_tokens_are_those_of_generate(prompt: Prompt):
    model = tiny_model()
    traced = trace(model, prompt, max_new_tokens=TOKENS)
    plain = generated(model, prompt)[0, len(traced.timeline) :]
    assert [token.id for token in traced.tokens] == plain.tolist()


def test_rows_are_those_of_eager_attention_the_first_tokens_too(prompt: Prompt):
    model = tiny_model()
    plain = generated(model, prompt, "eager", output_attentions=True, return_dict_in_generate=True)
    prepared = model.prepare(prompt, limits=Limits())
    traced = trace(model, prompt, max_new_tokens=TOKENS)
    n = len(prepared.timeline)
    run, recorder = model.start(prepared), Recorder(model.text_model)
    for t, layers in enumerate(plain.attentions):
        with recorder.listen():
            run.read_token(int(plain.sequences[0, n + t - 1])) if t else run.read_prompt()
        record = recorder.step(n + t)
        eager = torch.stack([layer[0, :, -1].mean(0) for layer in layers])
        assert (record.rows - eager).abs().max() < 1e-5
        for name, score in (("attmean", att_mean), ("rawatt", raw_att)):
            expected = score(record).numpy()
            assert np.array_equal(traced.scores[name][t], expected[:n].astype(np.float16))
            assert np.isclose(traced.own[name][t], expected[n:].sum(), atol=1e-6)
    assert t == len(traced.tokens) - 1


def test_every_row_and_what_fell_on_the_answer_sum_to_one(prompt: Prompt):
    traced = trace(tiny_model(), prompt, max_new_tokens=TOKENS)
    for name in traced.signals:
        mass = traced.scores[name].astype(np.float32).sum(1)
        assert np.allclose(mass + traced.own[name], 1, atol=2e-3)
        assert traced.own[name][0] == 0 and (traced.own[name][1:] > 0).all()


def test_a_stream_tells_its_stages_and_a_step_a_token(prompt: Prompt):
    steps = list(stream(tiny_model(), prompt, generation=Generation(max_new_tokens=5)))
    stages = [step.stage for step in steps]
    assert stages == ["reading", "encoding"] + ["decoding"] * 5 + ["done"]
    assert [step.done for step in steps[2:]] == [1, 2, 3, 4, 5, 5]
    final = steps[-1].snapshot()
    assert final.stopped == "length" and final.answer == steps[-1].answer
    assert set(final.timings) == {"reading", "encoding", "decoding"}
    assert final.media[1].width == 150 and final.media[3].has_sound


def test_a_snapshot_stays_what_it_was_however_late_it_is_taken(prompt: Prompt):
    early, at_once = [], []
    for step in stream(tiny_model(), prompt, generation=Generation(max_new_tokens=8)):
        early.append(step)
        at_once.append(step.snapshot())
    for step, then in zip(early[1:-2], at_once[1:], strict=False):
        now = step.snapshot()
        assert (now.answer, now.tokens, now.stopped) == (then.answer, then.tokens, "running")
        assert np.array_equal(now.scores["attmean"], then.scores["attmean"])
    with pytest.raises(ValueError):
        now.scores["attmean"][0] = 0


def test_closing_the_stream_cancels_and_gives_the_model_back(prompt: Prompt):
    model = tiny_model()
    steps: Iterator = stream(model, prompt, generation=Generation(max_new_tokens=500))
    for step in steps:
        if step.done == 3 and step.stage == "decoding":
            break
    steps.close()
    cancelled = step.snapshot()
    assert cancelled.stopped == "cancelled" and len(cancelled.tokens) == 3
    assert model.text_model.config._attn_implementation == "sdpa"
    assert not list(steps)


def test_a_stop_token_ends_the_answer_and_adds_no_text(prompt: Prompt):
    model = tiny_model()
    free = trace(model, prompt, max_new_tokens=6)
    stopping = Qwen25Omni(model.thinker, model.processor, name="stopping")
    stopping.stop_tokens = frozenset([free.tokens[3].id])
    ended = trace(stopping, prompt, max_new_tokens=6)
    assert ended.stopped == "end"
    assert ended.tokens[-1].id == free.tokens[3].id
    assert len(ended.tokens) == len(ended.scores["attmean"]) <= 4
    assert model.stop_tokens == {model.processor.tokenizer.eos_token_id}


def test_an_answer_never_outgrows_the_context():
    model = tiny_model()
    small = Qwen25Omni(model.thinker, model.processor, name="small")
    n = len(small.prepare(Prompt.of("Hi."), limits=Limits()).timeline)
    small.context = n + 3
    traced = trace(small, Prompt.of("Hi."), max_new_tokens=50)
    assert len(traced.tokens) == 3 and traced.stopped == "length"


def test_two_threads_on_one_model_never_mix_rows():
    model, count = tiny_model(), 20
    prompts = [Prompt.of("One.", ["A red dog."]), Prompt.of("Say two things.", ["B " * 30])]
    alone = [trace(model, prompt, max_new_tokens=count) for prompt in prompts]
    barrier = Barrier(2)

    def together(prompt: Prompt):
        steps = stream(model, prompt, generation=Generation(max_new_tokens=count))
        for step in steps:
            if not barrier.broken and step.stage != "done" and step.done < 2:
                barrier.wait(timeout=60)
        return step.snapshot()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            both = list(pool.map(together, prompts))
            for one, other in zip(alone, both, strict=True):
                assert one.tokens == other.tokens
                assert np.array_equal(one.scores["attmean"], other.scores["attmean"])
                assert np.array_equal(one.own["rawatt"], other.own["rawatt"])
    assert model.text_model.config._attn_implementation == "sdpa"


def test_the_same_seed_says_the_same(prompt: Prompt):
    def said(seed: int) -> list[int]:
        sampling = Generation(max_new_tokens=10, temperature=1.5, top_p=0.95, seed=seed)
        return [token.id for token in trace(tiny_model(), prompt, generation=sampling).tokens]

    torch.manual_seed(5)
    first = said(1)
    torch.manual_seed(6)
    assert said(1) == first != said(2)


@settings(deadline=None)
@given(st.integers(0, 2**31), st.floats(0.3, 2.0), st.floats(0.05, 1.0))
def test_sampling_keeps_what_generates_warpers_keep(seed: int, temperature: float, top_p: float):
    logits = torch.randn(12, generator=torch.Generator().manual_seed(seed)) * 2
    warped = TemperatureLogitsWarper(temperature)(None, logits[None])
    shares = (TopPLogitsWarper(top_p)(None, warped) if top_p < 1 else warped).softmax(-1)[0]
    chooser = Chooser(Generation(temperature=temperature, top_p=top_p, seed=seed))
    draws = [chooser.choose(logits) for _ in range(40)]
    assert all(shares[token] > 0 for token in draws)


def test_draws_follow_their_shares():
    logits = torch.tensor([0.5, 0.3, 0.2]).log()
    chooser = Chooser(Generation(temperature=1.0))
    counts = np.bincount([chooser.choose(logits) for _ in range(4000)], minlength=3)
    assert np.allclose(counts / 4000, [0.5, 0.3, 0.2], atol=0.03)


@settings(deadline=None)
@given(st.integers(1, 4), st.lists(st.integers(0, 4), max_size=12), st.integers(0, 2**31))
def test_repeated_phrases_are_banned_as_generate_does(size: int, heard: list[int], seed: int):
    chooser = Chooser(Generation(no_repeat_ngram_size=size))
    chooser.hear(heard)
    theirs, said = NoRepeatNGramLogitsProcessor(size), list(heard)
    random = torch.Generator().manual_seed(seed)
    for _ in range(6):
        logits = torch.randn(8, generator=random)
        if len(said) >= 1:
            expected = theirs(torch.tensor([said]), logits[None].clone())[0]
            if expected.isinf().all():
                return
            assert (token := chooser.choose(logits)) == int(expected.argmax())
        else:
            token = chooser.choose(logits)
        said.append(token)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_new_tokens": 0},
        {"temperature": -1.0},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"no_repeat_ngram_size": -1},
        # What no trace file could hold, and what would divide logits beyond float32.
        {"max_new_tokens": 10**6 + 1},
        {"temperature": 1_001.0},
        {"temperature": 1e-40},
        {"seed": 2**64},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict):
    with pytest.raises(InputError, match=next(iter(wrong))):
        trace(tiny_model(), Prompt.of("Hi."), generation=Generation(**wrong))


@pytest.mark.parametrize(
    "extreme",
    [
        {"max_new_tokens": 10**6, "no_repeat_ngram_size": 10**6},
        {"temperature": 1e-6, "seed": -(2**63)},
        {"temperature": 1_000.0, "seed": 2**64 - 1},
    ],
)
def test_whatever_settings_are_accepted_the_trace_can_be_kept(extreme: dict, tmp_path: Path):
    steps = stream(tiny_model(), Prompt.of("Hi."), generation=Generation(**extreme))
    kept = next(step for step in steps if step.done and step.stage == "decoding").snapshot()
    steps.close()
    back = Trace.load(kept.save(tmp_path / "kept.omnitrace"))
    assert back.generation == Generation(**extreme)


def test_weights_that_overflow_are_told():
    thinker = tiny_thinker(tiny_model().processor.tokenizer).half().eval().requires_grad_(False)
    thinker.model.language_model.layers[1].self_attn.q_proj.weight.fill_(60_000)
    model = Qwen25Omni(thinker, tiny_model().processor, name="hot")
    with pytest.raises(ModelError, match=r"At token 1 .* overflow, most often in float16"):
        trace(model, Prompt.of("Hi."), max_new_tokens=2)


def spelled(*pieces: bytes) -> tuple[str, list[tuple[int, int]], list[str]]:
    text, seen = AnswerText(), []
    for index, piece in enumerate(pieces):
        text.add(index, piece)
        seen.append(text.text)
    text.finish()
    tokens = text.tokens(len(pieces), text.text)
    return text.text, [(token.start, token.end) for token in tokens], seen


def test_a_character_of_several_tokens_shows_when_whole_and_belongs_to_all():
    # é is C3 A9, 😀 is F0 9F 98 80; the third token ends é and begins 😀.
    text, ranges, seen = spelled(b"N", b"\xc3", b"\xa9\xf0\x9f", b"", b"\x98", b"\x80!")
    assert text == "Né😀!"
    assert ranges == [(0, 1), (1, 2), (1, 3), (2, 2), (2, 3), (2, 4)]
    assert seen == ["N", "N", "Né", "Né", "Né", "Né😀!"]


def test_a_broken_off_character_is_a_mark_of_its_own():
    text, ranges, _ = spelled(b"\xf0\x9f", b"\x98a", b"\xc3", b"\xc3\xa9", b"\xe2")
    assert text == "\ufffda\ufffdé\ufffd"
    assert ranges == [(0, 1), (0, 2), (2, 3), (3, 4), (4, 5)]


@given(st.lists(st.binary(max_size=5), max_size=12))
def test_any_bytes_give_the_text_of_lossy_decoding(pieces: list[bytes]):
    text, ranges, _ = spelled(*pieces)
    assert text == b"".join(pieces).decode("utf-8", "replace")
    covered = set().union(*(range(start, end) for start, end in ranges)) if ranges else set()
    assert covered == set(range(len(text)))


@given(st.text(max_size=20), st.lists(st.integers(0, 80), max_size=8))
def test_ranges_are_the_characters_that_a_tokens_bytes_touch(text: str, cuts: list[int]):
    raw = text.encode("utf-8", "ignore")
    text = raw.decode()
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    owner = [index for index, character in enumerate(text) for _ in character.encode()]
    _, ranges, _ = spelled(*[raw[a:b] for a, b in pairwise(edges)])
    for (a, b), (start, end) in zip(pairwise(edges), ranges, strict=True):
        assert set(range(start, end)) == set(owner[a:b])
