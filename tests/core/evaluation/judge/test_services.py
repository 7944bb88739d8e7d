"""What a judge is sent over real HTTP, and what becomes of its answers: both protocols."""

import json
import threading
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import soundfile
from PIL import Image

from core.cli import main
from core.errors import InputError, ModelError
from core.evaluation.judge.run import Spent
from core.evaluation.labels import Interval, read_labels
from core.trace import Trace
from tests.core.evaluation.judge.answered import FILM, answered, right
from tests.core.evaluation.judge.asking import APIS, asked_by, save
from tests.core.evaluation.judge.stand_in import Fault, StandIn, replied, truthful


@pytest.mark.parametrize("api", APIS)
def test_labels_are_what_the_judge_says(judge: StandIn, traced: Trace, tmp_path: Path, api: str):
    judge.answer = truthful(right(traced))
    judged = asked_by(judge, tmp_path, api=api)
    first, second = judged.labels
    assert (first.units, first.intervals) == (("p0.0",), ())
    assert second.intervals == (Interval(2, 0.0, 1.0), Interval(3, 0.5, 2.0))
    assert (first.by, first.name, first.malformed) == ("judge", "wise", "")
    assert first.answer_id == right(traced)[0].answer_id and first.text == "Cats sat."
    assert judged.spent == Spent(1, 0, 100, 20) and judged.failed == ()


def test_what_an_openai_endpoint_is_sent(judge: StandIn, traced: Trace, tmp_path: Path):
    judge.answer = truthful(right(traced))
    asked_by(judge, tmp_path)
    (asked,) = judge.asked
    assert asked.path == "/v1/chat/completions" and asked.body["model"] == "wise"
    assert asked.headers["authorization"] == "Bearer sk-secret"
    schema = asked.body["response_format"]["json_schema"]
    assert schema["strict"] and "p1.0" in json.dumps(schema["schema"])
    system, user = asked.body["messages"]
    assert system["role"] == "system" and "sources" in system["content"]
    kinds = [piece["type"] for piece in user["content"]]
    assert kinds == ["text", "image_url", "text", "input_audio", "text", "video_url", "text"]
    picture = user["content"][1]["image_url"]["url"].removeprefix("data:image/jpeg;base64,")
    assert Image.open(BytesIO(b64decode(picture))).size == (84, 84)
    sound = b64decode(user["content"][3]["input_audio"]["data"])
    samples, rate = soundfile.read(BytesIO(sound))
    assert (len(samples), rate) == (24_000, 16_000)
    film = user["content"][5]["video_url"]["url"].removeprefix("data:video/mp4;base64,")
    assert b64decode(film) == FILM.read_bytes()


def test_what_gemini_is_sent(judge: StandIn, traced: Trace, tmp_path: Path):
    judge.answer = truthful(right(traced))
    asked_by(judge, tmp_path, api="gemini")
    (asked,) = judge.asked
    assert asked.path.endswith("/models/wise:generateContent")
    assert asked.headers["x-goog-api-key"] == "AIza-secret"
    settings = asked.body["generationConfig"]
    assert settings["responseMimeType"] == "application/json"
    assert settings["responseJsonSchema"]["required"] == ["sentences"]
    parts = asked.body["contents"][0]["parts"]
    types = [part["inlineData"]["mime_type"] for part in parts if "text" not in part]
    assert types == ["image/jpeg", "audio/wav", "video/mp4"]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("bad", ["nonsense", "", replied([None])])
def test_a_malformed_answer_is_asked_for_again(
    judge: StandIn, traced: Trace, tmp_path: Path, api: str, bad: str
):
    """``replied([None])`` leaves the second sentence out."""
    sound = truthful(right(traced))
    judge.answer = lambda asked: bad if len(judge.asked) == 1 else sound(asked)
    judged = asked_by(judge, tmp_path, api=api)
    assert not any(label.malformed for label in judged.labels)
    assert judged.spent == Spent(2, 0, 200, 40)
    assert "That cannot be used" in judge.asked[1].text


def test_what_stays_malformed_is_recorded_and_not_guessed(
    judge: StandIn, traced: Trace, tmp_path: Path
):
    """The first sentence names a source that there is not; the second is sound, and kept."""
    truth = right(traced)
    judge.answer = truthful([replace(truth[0], units=("p0.7",)), truth[1]])
    judged = asked_by(judge, tmp_path, reasks=1)
    first, second = judged.labels
    assert "source that there is not: 'p0.7'" in first.malformed
    assert first.units == first.intervals == ()
    assert not second.malformed and len(second.intervals) == 2
    assert len(judge.asked) == 2 and judged.spent.asked == 2


def test_replies_are_kept_and_never_asked_for_twice(judge: StandIn, traced: Trace, tmp_path: Path):
    judge.answer = truthful(right(traced))
    asked_by(judge, tmp_path)
    again = asked_by(judge, tmp_path)
    assert len(judge.asked) == 1 and again.spent == Spent(0, 1, 0, 0)
    assert [label.units for label in again.labels] == [("p0.0",), ()]
    for file in (tmp_path / "cache").iterdir():
        file.write_text("damaged", encoding="utf-8")
    assert asked_by(judge, tmp_path).spent.asked == 1


def test_asking_again_goes_on_from_what_was_paid_for(judge: StandIn, traced: Trace, tmp_path: Path):
    judge.answer = lambda asked: "nonsense"
    assert asked_by(judge, tmp_path, reasks=0).labels[0].malformed
    judge.answer = truthful(right(traced))
    judged = asked_by(judge, tmp_path, reasks=1)
    assert judged.spent == Spent(1, 1, 100, 20) and not judged.labels[0].malformed
    assert "nonsense" in judge.asked[1].text


def test_a_run_that_was_broken_off_goes_on(judge: StandIn, traced: Trace, tmp_path: Path):
    """The key is withdrawn after the first answer: the run ends; the next asks for the rest."""
    save(tmp_path, "two", "Say more.")
    sound = truthful(right(traced))
    judge.answer = lambda asked: (judge.faults.append(Fault(401)), sound(asked))[1]
    with pytest.raises(ModelError, match="refused the key in OPENAI_API_KEY"):
        asked_by(judge, tmp_path, concurrency=1)
    judge.answer = sound
    assert asked_by(judge, tmp_path).spent == Spent(1, 1, 100, 20)


def test_an_endpoint_without_schemas_is_asked_for_plain_json(
    judge: StandIn, traced: Trace, tmp_path: Path
):
    """It is found out once: the second question is not put with a schema first."""
    save(tmp_path, "two", "Say more.")
    judge.answer = truthful(right(traced))
    refusal = b'{"error": {"message": "response_format is not supported"}}'
    judge.faults.append(Fault(400, refusal))
    judged = asked_by(judge, tmp_path, concurrency=1)
    assert ["response_format" in asked.body for asked in judge.asked] == [True, False, False]
    assert len(judged.labels) == 4 and not judged.failed


def test_several_are_asked_at_a_time_and_no_more(judge: StandIn, traced: Trace, tmp_path: Path):
    """Two at a time: each waits until the other is there, and a third would break the barrier."""
    for name in ("two", "three", "four"):
        save(tmp_path, name, f"Say {name}.")
    sound, together = truthful(right(traced)), threading.Barrier(2, timeout=60)
    within, most, lock = [], [], threading.Lock()

    def answer(asked):
        with lock:
            within.append(1)
            most.append(len(within))
        together.wait()
        with lock:
            within.pop()
        return sound(asked)

    judge.answer = answer
    judged = asked_by(judge, tmp_path, concurrency=2)
    assert len(judged.labels) == 8 and max(most) == 2


def test_one_answer_is_judged_once_however_often_it_was_traced(
    judge: StandIn, traced: Trace, tmp_path: Path
):
    save(tmp_path, "again")
    judge.answer = truthful(right(traced))
    assert len(asked_by(judge, tmp_path).labels) == 2 and len(judge.asked) == 1


def test_the_command_judges_and_tells_what_it_cost(
    judge: StandIn, traced: Trace, tmp_path: Path, capsys
):
    judge.answer = truthful(right(traced))
    out = tmp_path / "labels.jsonl"
    arguments = ["judge", str(tmp_path / "traces"), "--model", "wise", "--base-url", judge.openai]
    assert main([*arguments, "--out", str(out), "--price", "2,10"]) == 0
    told = capsys.readouterr().err
    # 100 tokens at 2 dollars and 20 at 10 a million.
    assert "2 labels, 0 of them malformed; 1 replies asked for" in told and "$0.0004" in told
    assert [label.name for label in read_labels(out)] == ["wise", "wise"]
    assert (tmp_path / "labels.jsonl.cache").is_dir()
    assert main([*arguments[:4], "--dry-run", "--price", "2.5,10"]) == 0
    dry = capsys.readouterr()
    assert "[p0.0] A cat sat." in dry.out and "<image a.png>" in dry.out
    assert "1 answers: about" in dry.err and "$" in dry.err and len(judge.asked) == 1
    assert main(arguments) == 1 and "--out" in capsys.readouterr().err


def test_media_that_are_not_in_the_file_are_told(judge: StandIn, tmp_path: Path):
    (tmp_path / "traces").mkdir()
    trace = answered(tmp_path)
    (tmp_path / "b.wav").unlink()
    trace.save(tmp_path / "traces" / "one.omnitrace")
    ((_, told),) = asked_by(judge, tmp_path).failed
    assert "'b.wav' is not in the trace file" in told and not judge.asked


def test_no_traces(judge: StandIn, tmp_path: Path):
    with pytest.raises(InputError, match="holds no"):
        asked_by(judge, tmp_path)
