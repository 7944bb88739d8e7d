"""Faults of a judge over real HTTP: waited out, told, or given up."""

import json
import socket
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from core.errors import MissingExtraError, ModelError
from core.evaluation.judge.gemini import Gemini
from core.evaluation.judge.openai_compatible import OpenAICompatible
from core.evaluation.judge.patience import Patience, ServiceDownError
from core.evaluation.judge.service import TryAgain, seconds_to_wait
from core.trace import Trace
from tests.core.evaluation.judge.answered import right
from tests.core.evaluation.judge.asking import APIS, asked_by, save
from tests.core.evaluation.judge.stand_in import Fault, StandIn, truthful

BUSY = b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down."}}'


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
