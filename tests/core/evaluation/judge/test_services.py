"""The judge over real HTTP, faults included: a local stand-in speaks both protocols.

No time passes: what would be slept is noted.
"""

import json
import socket
import sys
import threading
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path

import pytest
import soundfile
from PIL import Image

from core.cli import main
from core.errors import InputError, MissingExtraError, ModelError
from core.evaluation.judge.cache import Cache
from core.evaluation.judge.gemini import Gemini
from core.evaluation.judge.openai_compatible import OpenAICompatible
from core.evaluation.judge.patience import Patience, ServiceDownError
from core.evaluation.judge.run import Judged, Spent, judge_folder
from core.evaluation.judge.service import TryAgain, seconds_to_wait
from core.evaluation.labels import Interval, read_labels
from core.trace import Trace
from tests.core.evaluation.judge.answered import FILM, answered, right
from tests.core.evaluation.judge.stand_in import Fault, StandIn, replied, serving, truthful

APIS = ("openai", "gemini")
BUSY = b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down."}}'


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-secret")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with serving() as stand_in:
        yield stand_in


@pytest.fixture
def traced(tmp_path: Path) -> Trace:
    """Saved as ``traces/one.omnitrace``."""
    return save(tmp_path, "one")


def save(folder: Path, name: str, instruction: str = "Say what is there.") -> Trace:
    (folder / "traces").mkdir(exist_ok=True)
    trace = answered(folder, instruction)
    trace.save(folder / "traces" / f"{name}.omnitrace")
    return trace


def asked_by(
    judge: StandIn, folder: Path, *, api: str = "openai", waits: list | None = None, **options
) -> Judged:
    service = (
        OpenAICompatible("wise", base_url=judge.openai)
        if api == "openai"
        else Gemini("wise", base_url=judge.address)
    )
    noted = [] if waits is None else waits
    patience = Patience(sleep=noted.append, chance=lambda: 0.0)
    return judge_folder(
        folder / "traces", service, Cache(folder / "cache"), patience=patience, **options
    )


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
@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (Fault(429, BUSY, {"Retry-After": "7"}), [7.0, 7.0]),
        (Fault(429, BUSY), [1.0, 2.0]),
        (Fault(500), [1.0, 2.0]),
        (Fault(503, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}), [1.0, 2.0]),
        (Fault(200, b'{"choices": [', {}, 5), [1.0, 2.0]),
        (Fault(200, b"", {}, 0), [1.0, 2.0]),
        (Fault(200, b"{oops"), [1.0, 2.0]),
        (Fault(200, b"<html>", {"Content-Type": "text/html"}), [1.0, 2.0]),
    ],
)
def test_faults_that_pass_are_waited_out(
    judge: StandIn, traced: Trace, tmp_path: Path, api: str, fault: Fault, waits: list[float]
):
    judge.answer = truthful(right(traced))
    judge.faults.extend([fault, fault])
    slept: list[float] = []
    judged = asked_by(judge, tmp_path, api=api, waits=slept)
    assert slept == waits and len(judge.asked) == 3
    assert judged.labels[0].units == ("p0.0",) and not judged.failed


def test_gemini_says_how_long_in_its_details(judge: StandIn, traced: Trace, tmp_path: Path):
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"}
    body = {"error": {"code": 429, "message": "Quota.", "details": [{"other": 1}, detail]}}
    judge.faults.append(Fault(429, json.dumps(body).encode()))
    judge.answer = truthful(right(traced))
    slept: list[float] = []
    asked_by(judge, tmp_path, api="gemini", waits=slept)
    assert slept == [3.5]


def test_a_date_to_wait_for():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < seconds_to_wait(later) <= 90
    assert seconds_to_wait("Mon, 01 Jan 2024 00:00:00 GMT") == 0.0
    assert seconds_to_wait("soon") is None and seconds_to_wait(None) is None


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


def test_what_one_question_cannot_is_told_and_the_rest_goes_on(
    judge: StandIn, traced: Trace, tmp_path: Path
):
    save(tmp_path, "two", "Say more.")
    (tmp_path / "traces" / "zero.omnitrace").write_bytes(b"none")
    judge.answer = truthful(right(traced))
    judge.faults.append(Fault(413, b'{"error": {"message": "Too much."}}'))
    judged = asked_by(judge, tmp_path, concurrency=1)
    assert len(judged.labels) == 2
    told = dict(judged.failed)
    assert "not a zip" in told["zero.omnitrace"] or "cannot be opened" in told["zero.omnitrace"]
    assert "too large for the judge's service (413): Too much" in told["one.omnitrace"]


def test_a_service_that_keeps_failing_is_given_up(judge: StandIn, traced: Trace, tmp_path: Path):
    for name in ("two", "three", "four"):
        save(tmp_path, name, f"Say {name}.")
    judge.faults.extend([Fault()] * 100)
    with pytest.raises(ModelError, match="failed \\(500\\): Out of order, 6 times in a row"):
        asked_by(judge, tmp_path, concurrency=1)
    assert 18 <= len(judge.asked) <= 24  # A fourth question may have begun.


def test_who_waits_is_woken_when_the_run_ends():
    """By the real clock: it is to wait for minutes, and does not."""
    patience, waiting = Patience(), threading.Event()
    told: list[str] = []

    def ask() -> None:
        waiting.set()
        raise TryAgain("is busy", wait=500.0)

    def wait() -> None:
        with pytest.raises(ServiceDownError) as caught:
            patience.until_answered(ask)
        told.append(str(caught.value))

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait(60)
    patience.stop()
    thread.join(60)
    assert told == ["The judge's service is no longer asked."]


def test_a_service_that_asks_for_hours_is_given_up(judge: StandIn, traced: Trace, tmp_path: Path):
    judge.faults.append(Fault(429, BUSY, {"Retry-After": "7200"}))
    slept: list[float] = []
    ((_, told),) = asked_by(judge, tmp_path, waits=slept).failed
    assert "wait for 7200 s" in told and slept == []


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


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, r"refused the key in OPENAI_API_KEY \(401\): Out of order"),
        (403, "refused the key"),
        (404, "knows no model 'wise'"),
        (302, "answered 302"),
    ],
)
def test_what_will_never_answer_is_told_at_once(
    judge: StandIn, traced: Trace, tmp_path: Path, status: int, told: str
):
    judge.faults.append(Fault(status))
    with pytest.raises(ModelError, match=told) as caught:
        asked_by(judge, tmp_path)
    assert len(judge.asked) == 1
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("api", APIS)
def test_nobody_there_is_told_at_once(traced: Trace, tmp_path: Path, api: str, judge: StandIn):
    with socket.socket() as taken:  # Bound, but nobody listens.
        taken.bind(("127.0.0.1", 0))
        judge.address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        slept: list[float] = []
        with pytest.raises(ModelError, match=r"cannot be reached.*Check the address"):
            asked_by(judge, tmp_path, api=api, waits=slept)
        assert slept == []


@pytest.mark.parametrize("api", APIS)
def test_without_a_key_or_the_package_nothing_is_begun(monkeypatch: pytest.MonkeyPatch, api: str):
    service = {"openai": OpenAICompatible, "gemini": Gemini}[api]
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelError, match=f"needs a key.*set {api.upper()}_API_KEY"):
        service("wise")
    monkeypatch.setenv("ELSEWHERE", "clé")
    with pytest.raises(ModelError, match="ELSEWHERE holds characters"):
        service("wise", key_variable="ELSEWHERE")
    monkeypatch.setitem(sys.modules, {"openai": "openai", "gemini": "google.genai"}[api], None)
    with pytest.raises(MissingExtraError, match="pip install -r core/evaluation/judge"):
        service("wise")


def test_a_local_endpoint_needs_no_key(
    judge: StandIn, traced: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OPENAI_API_KEY")
    judge.answer = truthful(right(traced))
    assert len(asked_by(judge, tmp_path).labels) == 2


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
