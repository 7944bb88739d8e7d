"""Scribe against a local stand-in that speaks its protocol, faults included."""

import socket
import time
from io import BytesIO

import numpy as np
import pytest
import soundfile

from core.errors import ModelError
from core.media import RATE
from core.segmenters import load_segmenter
from core.segmenters.scribe import Scribe
from core.trace import Segment
from tests.core.segmenters.stand_in import StandIn, serving

SAMPLES = np.sin(np.arange(10 * RATE) * 0.05).astype(np.float32) * 0.5


def word(text: str, start: float | None, end: float | None, speaker: str | None = "speaker_0"):
    kind = "spacing" if text.isspace() else "word"
    return {"text": text, "type": kind, "start": start, "end": end, "speaker_id": speaker}


DIALOGUE = {
    "language_code": "eng",
    "language_probability": 0.98,
    "text": "Where is it? On the table. Here.",
    "words": [
        word("Where", 0.5, 0.8),
        word(" ", 0.8, 0.85),
        word("is", 0.85, 1.0),
        word(" ", 1.0, 1.0),
        word("it?", 1.0, 1.4),
        word(" ", 1.4, 2.0, "speaker_1"),
        word("On", 2.0, 2.2, "speaker_1"),
        word(" ", 2.2, 2.2, "speaker_1"),
        word("the", 2.2, 2.4, "speaker_1"),
        word(" ", 2.4, 2.4, "speaker_1"),
        word("table.", 2.4, 3.0, "speaker_1"),
        {**word("(laughter)", 3.0, 4.0), "type": "audio_event"},
        word(" ", 4.0, 4.0, "speaker_1"),
        word("Here.", 4.0, 12.0, "speaker_1"),
    ],
}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_secret")
    with serving() as stand_in:
        yield stand_in


def ask(service: StandIn) -> tuple[Segment, ...]:
    return Scribe(address=service.address).segments(SAMPLES)


def test_sentences_with_their_speakers(service: StandIn):
    service.answer(DIALOGUE)
    assert ask(service) == (
        Segment(0.5, 1.4, "Where is it?", "speaker_0"),
        Segment(2.0, 3.0, "On the table.", "speaker_1"),
        Segment(4.0, 10.0, "Here.", "speaker_1"),  # It ends with the recording.
    )


def test_what_the_service_is_sent(service: StandIn):
    service.answer(DIALOGUE)
    ask(service)
    (asked,) = service.asked
    assert asked["path"] == "/v1/speech-to-text" and asked["key"] == "sk_secret"
    assert asked["model_id"] == "scribe_v2" and asked["diarize"] == "true"
    assert asked["timestamps_granularity"] == "word"
    samples, rate = soundfile.read(BytesIO(asked["file"]), dtype="float32")
    assert rate == RATE and np.abs(samples - SAMPLES).max() < 1e-4


def test_chinese_keeps_its_spelling(service: StandIn):
    service.answer({"words": [word(c, k, k + 1) for k, c in enumerate("我们走。他留下。")]})
    assert [s.text for s in ask(service)] == ["我们走。", "他留下。"]


def test_words_without_times_happen_when_the_last_ended(service: StandIn):
    service.answer({"words": [word("Yes ", 1.0, 2.0), word("sir.", None, None, None)]})
    assert [s[:3] for s in ask(service)] == [(1.0, 2.0, "Yes sir.")]


def test_nothing_said(service: StandIn):
    service.answer({"text": "", "words": []})
    assert ask(service) == ()


@pytest.mark.parametrize(
    ("status", "detail", "headers", "told"),
    [
        (
            401,
            {"status": "invalid_api_key", "message": "Invalid API key"},
            {},
            r"refused the key in ELEVENLABS_API_KEY \(401\): Invalid API key\. Check it",
        ),
        (429, {"message": "Too many"}, {"Retry-After": "7"}, r"429.*Too many.*again in 7 s"),
        (429, {"message": "Too many"}, {}, r"again later"),
        (500, "Internal", {}, r"failed \(500\): Internal\. Try again later"),
        (503, None, {}, r"failed \(503\)\. Try again later"),
        (422, [{"msg": "field required"}], {}, r"refused the recording \(422\)\."),
        (400, {"message": "Audio too short"}, {}, r"\(400\): Audio too short"),
    ],
)
def test_refusals_are_told_with_the_remedy(service: StandIn, status, detail, headers, told):
    service.answer({"detail": detail}, status, **headers)
    with pytest.raises(ModelError, match=told) as caught:
        ask(service)
    assert "sk_secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_redirection_is_not_followed_with_the_key(service: StandIn):
    service.answer({}, 302, Location=f"{service.address}/elsewhere")
    with pytest.raises(ModelError, match="302"):
        ask(service)
    assert len(service.asked) == 1


@pytest.mark.parametrize("cut", [0, 10])
def test_a_cut_connection(service: StandIn, cut: int):
    service.answer(DIALOGUE)
    service.cut = cut
    with pytest.raises(ModelError, match="connection to Scribe broke"):
        ask(service)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"text": "no words"}',
        b'{"words": 3}',
        b'{"words": [3]}',
        b'{"words": [{"start": 0}]}',
        b'{"words": [{"text": "a", "start": "x", "end": 1}]}',
        b'{"words": [{"text": "a", "start": -1, "end": 1}]}',
        b'{"words": [{"text": "a", "start": 0, "end": NaN}]}',
        b'{"words": [{"text": "a", "start": [], "end": 1}]}',
    ],
)
def test_an_answer_that_is_none(service: StandIn, body: bytes):
    service.body = body
    with pytest.raises(ModelError, match="not understood"):
        ask(service)


def test_nobody_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_secret")
    with socket.socket() as taken:  # Bound, but nobody listens.
        taken.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        with pytest.raises(ModelError, match=r"cannot be reached.*pauses"):
            Scribe(address=f"http://127.0.0.1:{taken.getsockname()[1]}").segments(SAMPLES)
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize("key", [None, "", "  "])
def test_without_a_key_nothing_is_sent(key, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ELEVENLABS_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("ELEVENLABS_API_KEY", key)
    with pytest.raises(ModelError, match="set ELEVENLABS_API_KEY"):
        load_segmenter("scribe")


def test_a_key_that_no_header_can_carry(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "clé\n")
    with pytest.raises(ModelError, match="Copy the key anew"):
        load_segmenter("scribe")


def test_its_name_tells_the_model(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk_secret")
    assert load_segmenter("scribe").name == "scribe"
    assert load_segmenter("scribe:scribe_v1").name == "scribe:scribe_v1"
    assert "sk_secret" not in repr(load_segmenter("scribe"))
