"""Opening reports that the server offers or a visitor brings, and taking their parts away."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from core.errors import InputError
from core.evaluation.leaderboard import leaderboard, write_leaderboard
from core.evaluation.report import write_report
from omnitrace_ui.actions.benchmark import (
    BOARD,
    Opened,
    Reports,
    open_uploaded,
    save_figure,
    save_rows,
)
from omnitrace_ui.session import Store, Visitor
from tests.core.evaluation.test_evaluate import PICTURE_AT, TEXT_AT, leaning
from tests.core.evaluation.test_leaderboard import made


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two reports: all right, and half right."""
    folder = tmp_path_factory.mktemp("offered")
    for name, second in (("good", PICTURE_AT), ("half", TEXT_AT)):
        traces = tmp_path_factory.mktemp(name) / "traces"
        write_report(made(traces, leaning(TEXT_AT, second), "p0.0", "p1.0"), folder / name)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_what_the_operator_offers_opens_by_name(folder: Path):
    reports = Reports.read(folder)
    assert reports.names == [BOARD, "good", "half"]
    found = reports.open("good")
    assert found.rows[0]["f1"] == 100.0
    assert any(title.startswith("Table 2") for title in found.tables)
    title = next(title for title in found.tables if title.startswith("Table 3"))
    (task,) = found.tasks(title)
    assert {row["task"] for row in found.table(title, task)} == {task}
    assert found.table(title, "another task") == [] and found.table("no table") == []
    assert any("Figure 3a" in title for title in found.figures)
    whole = reports.open(BOARD)
    assert [row["report"] for row in whole.rows if row["settings"] == "default"] == ["good", "half"]
    with pytest.raises(InputError, match="no report"):
        reports.open("../etc/passwd")
    assert Reports.read(folder / "good").names == ["good"]
    assert Reports.read(folder / "nowhere").names == []
    with pytest.raises(InputError, match="no report"):
        Reports().open(BOARD)


def upload(store: Store, content: bytes, name: str = "mine.json") -> Path:
    path = store.root / "hash" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_an_upload_is_opened(folder: Path, store: Store):
    path = upload(store, (folder / "half" / "report.json").read_bytes())
    found = open_uploaded(store, Visitor(), path)
    assert (found.name, found.rows[0]["report"]) == ("mine", "mine")


def test_a_leaderboard_is_opened_too(folder: Path, store: Store, tmp_path: Path):
    write_leaderboard(*leaderboard(folder), tmp_path / "board")
    path = upload(store, (tmp_path / "board" / "leaderboard.json").read_bytes())
    found = open_uploaded(store, Visitor(), path)
    assert found.report is None and not found.tables and not found.figures
    assert {row["report"] for row in found.rows} == {"good", "half"}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"rows": 1, "format": 1}', b'{"rows": [{}], "format": 1}', b'{"tables": {}}'],
)
def test_other_uploads_are_refused_in_words(content: bytes, store: Store):
    path = upload(store, content)
    with pytest.raises(InputError):
        open_uploaded(store, Visitor(), path)


def test_only_the_visitors_own_files_are_read(folder: Path, store: Store):
    with pytest.raises(InputError, match="no longer here"):
        open_uploaded(store, Visitor(), folder / "good" / "report.json")
    assert (folder / "good" / "report.json").exists()


def test_tables_and_figures_can_be_taken_away(folder: Path, store: Store):
    visitor, found = Visitor(), Reports.read(folder).open("good")
    with save_rows(store, visitor, found.rows, "leaderboard").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(found.rows)
    chart = next(iter(found.figures.values()))
    ElementTree.fromstring(save_figure(store, visitor, chart, "svg").read_bytes())
    with Image.open(save_figure(store, visitor, chart, "png")) as picture:
        assert picture.format == "PNG"
    with save_figure(store, visitor, chart, "csv").open(encoding="utf-8") as file:
        assert list(csv.DictReader(file))
    for path in (store.root / "visitors").rglob("*.*"):
        assert path.is_relative_to(store.folder(visitor))
    with pytest.raises(InputError, match="open a report"):
        save_rows(store, visitor, (), "table")
    with pytest.raises(InputError, match="open a report"):
        save_figure(store, visitor, None, "svg")
    assert Opened().tables == {}


def test_reports_of_another_version_say_so(folder: Path, store: Store):
    value = json.loads((folder / "good" / "report.json").read_text("utf-8"))
    path = upload(store, json.dumps({**value, "format": 1}).encode())
    with pytest.raises(InputError, match="evaluate again"):
        open_uploaded(store, Visitor(), path)
