"""Scheduled uploads, against a hub of this machine that speaks what huggingface_hub asks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.errors import AccessError, StoreError
from core.evaluation.labels import read_labels
from core.review import Place, Project, commit, select
from core.review.upload import schedule_exports
from tests.core.review.hub import Hub, local_hub
from tests.core.review.making import desk_of, lead_of, write

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def hub() -> Iterator[type[Hub]]:
    with local_hub() as kept:
        yield kept


def test_exports_reach_a_private_data_set(project: Project, tmp_path: Path, hub: type[Hub]):
    place = Place(desk_of(project).queue[0], 0)
    with schedule_exports(lead_of(project), tmp_path / "out", "team/labels", minutes=60):
        write(desk_of(project), place, select("p1.0"), commit())
    assert [(one["type"], one["visibility"]) for one in hub.created] == [("dataset", "private")]
    assert {"labels.jsonl", "verdicts.parquet"} <= set(hub.files)
    (tmp_path / "got.jsonl").write_bytes(hub.files["labels.jsonl"])
    (label,) = read_labels(tmp_path / "got.jsonl")
    assert (label.answer_id, label.units, label.name) == (place.item, ("p1.0",), "anna")


def test_a_hub_that_refuses_is_told(project: Project, tmp_path: Path, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "wrong")
    with pytest.raises(StoreError, match="work goes on"):
        schedule_exports(lead_of(project), tmp_path / "out", "team/labels")
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(AccessError, match="HF_TOKEN"):
        schedule_exports(lead_of(project), tmp_path / "out", "team/labels")


def test_the_command_uploads_until_it_is_interrupted(project: Project, tmp_path: Path, hub):
    write(desk_of(project), Place(desk_of(project).queue[0], 0), select("p1.0"), commit())
    command = [sys.executable, "-m", "core", "review", "upload", project.folder]
    options = ["--dataset", "team/labels", "--out", tmp_path / "out"]
    process = subprocess.Popen(
        [*command, *options],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        # Another test's wish to stay offline is not this one's.
        env={**os.environ, "HF_HUB_OFFLINE": "0"},
        # Who runs the tests in the background has interrupts ignored, and children inherit that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert hub.committed.wait(120) and process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in told
    assert b"p1.0" in hub.files["labels.jsonl"]
