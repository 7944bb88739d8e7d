"""Out and back: label files, Parquet, Label Studio, and the commands."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.cli import main
from core.errors import InputError
from core.evaluation.labels import Interval, read_labels, write_labels
from core.review import (
    Place,
    Project,
    Verdict,
    accept,
    commit,
    draw,
    flag,
    note,
    open_project,
    select,
)
from core.review.bringing import Imported
from core.review.label_studio import interface
from tests.core.review.making import (
    SENTENCES,
    desk_of,
    judge_labels,
    lead_of,
    save_traces,
    shared,
    write,
)

NASTY = 'line\nbreak, "quotes", <img src=x onerror=alert(1)>, \u202e, \U0001f600, =cmd()'


@pytest.fixture
def worked(project: Project) -> Project:
    """anna and ben have said a few things, and lea has settled one."""
    item = shared(project)
    anna, ben, lea = desk_of(project, "anna"), desk_of(project, "ben"), lead_of(project)
    film = draw(3, [(0.25, 1.5)], "video_sound")
    write(anna, Place(item, 0), select("p0.0"), draw(2, [(0.1, 0.7), (1, 1.25)]), film, commit())
    write(anna, Place(item, 1), flag("unsupported"), note(NASTY), commit())
    write(anna, Place(item, 2), flag("bad"), flag("unsure"), commit())
    write(ben, Place(item, 0), accept())
    write(ben, Place(item, 1), select("p1.0"))  # not committed: goes nowhere
    write(lea, Place(item, 0), select("p0.1"), select("p1.0"), commit())
    return project


def states(project: Project) -> dict:
    """(owner, place) → committed verdict, whether accepted left out."""
    found = {}
    for item, one in project.items.items():
        for sentence in range(len(one.sentences)):
            view = lead_of(project).sentence(Place(item, sentence))
            for owner, state in {**view.opinions, "gold": view.state}.items():
                if state.committed:
                    found[owner, view.place] = replace(state.committed, accepted=False)
    return found


def fresh(worked: Project, folder: Path) -> Project:
    """The same project with an empty store."""
    project = open_project(worked.folder, store=f"sqlite:///{folder / 'fresh.sqlite3'}")
    for account in worked.accounts():
        project.add_account(account.name, account.role)
    return project


def test_a_table_brings_everything_back(worked: Project, tmp_path: Path):
    labels, table = lead_of(worked).export(tmp_path / "out")
    assert (labels.name, table.name) == ("labels.jsonl", "verdicts.parquet")
    rows = pq.read_table(table).to_pylist()
    assert [row["owner"] for row in rows] == ["anna", "anna", "anna", "ben", "gold"]
    assert rows[-1]["author"] == "lea" and rows[3]["accepted"] and rows[1]["note"] == NASTY
    assert rows[0]["time"].year >= 2024 and rows[0]["model"] == "made by hand"
    with fresh(worked, tmp_path) as empty:
        assert lead_of(empty).bring_in(table) == Imported(5, 0, 0, 0, 0)
        assert states(empty) == states(worked)
        assert lead_of(empty).bring_in(table) == Imported(0, 5, 0, 0, 0)
        (event, *_) = empty._store.events("anna")
        assert (event.author, event.owner) == ("lea", "anna")


def test_label_files_bring_back_what_they_can_say(worked: Project, tmp_path: Path):
    labels, _ = lead_of(worked).export(tmp_path / "out")
    said = read_labels(labels)
    assert [(one.name, one.span, one.by) for one in said] == [
        ("anna", 0, "person"),
        ("anna", 1, "person"),
        ("ben", 0, "person"),
        ("gold", 0, "person"),
    ]
    assert said[1].units == said[1].intervals == ()
    assert said[0].text == SENTENCES[0]
    with fresh(worked, tmp_path) as empty:
        assert lead_of(empty).bring_in(labels) == Imported(4, 0, 0, 0, 0)
        expected = {
            key: replace(verdict, note="")
            for key, verdict in states(worked).items()
            if not verdict.bad
        }
        assert states(empty) == expected


def test_label_studio_out_and_back(worked: Project, tmp_path: Path):
    lead = lead_of(worked)
    *_, tasks, config = lead.export(tmp_path / "out", label_studio=True)
    made = json.loads(tasks.read_text("utf-8"))
    assert len(made) == 12
    view = ElementTree.fromstring(config.read_bytes())
    assert view.tag == "View"
    objects = {one.get("name"): one for one in view if one.get("value", "").startswith("$")}
    controls = {one.get("name"): one for one in view if one.get("toName")}
    for task in made:
        for variable in (one.get("value") for one in objects.values()):
            assert variable[1:] in task["data"], "every variable of the interface has its data"
        for made_by in (*task["annotations"], *task.get("predictions", ())):
            for region in made_by["result"]:
                control = controls[region["from_name"]]
                assert region["to_name"] == control.get("toName")
                assert region["to_name"] in {*objects} and region["type"] == control.tag.lower()
    first = next(task for task in made if len(task["annotations"]) == 3)
    assert first["predictions"] == [
        {
            "model_version": "a judge",
            "result": [
                {
                    "id": "r0",
                    "type": "choices",
                    "from_name": "units",
                    "to_name": "sentence",
                    "value": {"choices": ["p0.0"]},
                }
            ],
        }
    ]
    spoken = first["annotations"][0]["result"][-1]
    assert (spoken["to_name"], spoken["value"]["labels"]) == ("sound4", ["video_sound"])
    with fresh(worked, tmp_path) as empty:
        assert lead_of(empty).bring_in(tasks) == Imported(5, 0, 0, 0, 0)
        assert states(empty) == states(worked)


def test_annotations_as_label_studio_itself_writes_them(project: Project, tmp_path: Path):
    """Its own keys, users by number or address, cancelled ones, an empty one, unknown controls."""
    item = shared(project)
    result = [
        {"from_name": "units", "type": "choices", "value": {"choices": ["p1.0"]}, "id": "x"},
        {
            "from_name": "times3",
            "to_name": "part3",
            "type": "labels",
            "original_length": 1.5,
            "value": {"start": 0.5, "end": 9.0, "channel": 0, "labels": ["source"]},
        },
        {"from_name": "note", "type": "textarea", "value": {"text": ["one", "two"]}},
        {"from_name": "else", "type": "rating", "value": {"rating": 3}},
    ]

    def task(sentence: int, *annotations: dict) -> dict:
        data = {"item": item, "sentence": sentence, "text": SENTENCES[sentence]}
        return {"id": 7, "data": data, "annotations": [*annotations], "drafts": []}

    file = tmp_path / "export.json"
    by_anna = {"completed_by": 3, "result": result, "was_cancelled": False, "lead_time": 4.2}
    by_ben = {"completed_by": {"id": 4, "email": "ben@example.org"}, "result": result[:1]}
    cancelled = {**by_ben, "was_cancelled": True}
    empty = {"completed_by": 3, "result": []}
    elsewhere = {**task(0, by_anna), "data": {"item": "f" * 16, "sentence": 0, "text": "?"}}
    tasks = [task(0, by_anna, by_ben), task(1, cancelled), task(2, empty), elsewhere]
    file.write_text(json.dumps(tasks))
    lead = lead_of(project)
    with pytest.raises(InputError, match=r"Nobody here is called '3', 'ben@example.org'"):
        lead.bring_in(file)
    found = lead.bring_in(file, names={"3": "anna", "ben@example.org": "ben"})
    assert found == Imported(added=2, same=0, kept=0, unknown=1, empty=1)
    verdict = desk_of(project).sentence(Place(item, 0)).state.committed
    assert verdict == Verdict(("p1.0",), (Interval(2, 0.5, 1.5),), note="one\ntwo")


def test_blind_projects_give_label_studio_no_predictions(blind: Project, tmp_path: Path):
    *_, tasks, _ = lead_of(blind).export(tmp_path, label_studio=True)
    text = tasks.read_text("utf-8")
    assert "predictions" not in text and "a judge" not in text and "made by hand" not in text


def test_the_interface_holds_every_kind_of_part():
    view = ElementTree.fromstring(interface(["audio", "video", "text", "image"]))
    assert [one.tag for one in view] == [
        *("Text", "Audio", "Labels", "Video", "Audio", "Labels", "Text", "Image"),
        *("Header", "Text", "Choices", "Choices", "TextArea"),
    ]


def test_an_import_never_overwrites_work_and_is_whole(worked: Project, tmp_path: Path):
    item = shared(worked)
    before = states(worked)
    labels = [replace(one, by="person", name="ben") for one in judge_labels([item])]
    file = write_labels(tmp_path / "ben.jsonl", labels)
    found = lead_of(worked).bring_in(file)
    assert found == Imported(added=1, same=1, kept=1, unknown=0, empty=0)
    wrong = [replace(labels[2], name="anna", units=()), replace(labels[1], units=("p9.9",))]
    other = next(one for one in worked.items if one != item)
    file = write_labels(
        tmp_path / "wrong.jsonl", [replace(one, answer_id=other, name="ben") for one in wrong]
    )
    now = states(worked)
    with pytest.raises(InputError, match=r"ben, answer-\d\d, sentence 2: .*'p9.9'.* Nothing was"):
        lead_of(worked).bring_in(file)
    assert states(worked) == now and now.items() >= before.items()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1 not really"),
        ("a.parquet", b""),
        ("a.jsonl", b"{"),
        ("a.json", b"{"),
        ("a.json", b"[" * 100_000),
        ("a.json", b'[{"data": {}}]'),
        ("a.json", b"[3]"),
        ("a.json", b'{"data": {"item": "x", "sentence": "y", "text": ""}, "annotations": [{}]}'),
    ],
)
def test_files_that_are_not_what_they_should_be(
    project: Project, tmp_path: Path, name: str, content: bytes
):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError):
        lead_of(project).bring_in(tmp_path / name)


def test_a_table_with_wrong_values_names_the_row(worked: Project, tmp_path: Path):
    _, path = lead_of(worked).export(tmp_path)
    table = pq.read_table(path)
    for column, values in (("sentence", [-1] * 5), ("unsure", [None] * 5), ("owner", [None] * 5)):
        at = table.schema.get_field_index(column)
        changed = table.set_column(at, column, pa.array(values, table.schema.field(column).type))
        pq.write_table(changed, tmp_path / "wrong.parquet")
        with pytest.raises(InputError, match=f"row 1, {column}"):
            lead_of(worked).bring_in(tmp_path / "wrong.parquet")
    pq.write_table(table.drop_columns(["units"]), tmp_path / "less.parquet")
    with pytest.raises(InputError, match="needs the columns"):
        lead_of(worked).bring_in(tmp_path / "less.parquet")


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch):
    def run(*words: object) -> str:
        status = main(["review", *map(str, words)])
        told = capsys.readouterr()
        assert "\x1b" not in told.out + told.err
        return told.out if status == 0 else told.err

    ids = save_traces(tmp_path / "traces", 2)
    labels = write_labels(tmp_path / "judge.jsonl", judge_labels(ids))
    study = tmp_path / "study"
    made = run(
        *("create", tmp_path / "traces", "--labels", labels, "--out", study),
        *("--annotators", "anna,ben", "--overlap", 1, "--seed", 3, "--blind"),
    )
    assert made == "study: 2 answers\n  anna: 6 sentences\n  ben: 6 sentences\n"
    assert "not empty" in run(
        "create", tmp_path / "traces", "--labels", labels, "--out", study, "--annotators", "a"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("pass word\n"))
    assert run("adduser", study, "lea", "--role", "lead", "--password") == "lea is lead\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert "empty password" in run("adduser", study, "anna", "--password")
    with open_project(study) as project:
        assert project.sign_in("lea", "pass word").role == "lead"
        for name in ("anna", "ben"):
            write(desk_of(project, name), Place(ids[0], 0), select("p0.0"), commit())
        write(desk_of(project, "ben"), Place(ids[0], 1), select("p0.1"), note("\x1b[2J"), commit())
    status = run("status", study)
    assert "anna: 1 of 6 sentences, 0 of 2 answers" in status
    assert re.search(r"^  all: Text F1 50\.00 of 1$", status, re.M)
    assert re.search(r"κ 1\.000 \(1 sentences\), α 1\.000", status)
    assert "1 disputed sentences, 0 settled" in status and "It rained." in status
    assert run("export", study, "--out", tmp_path / "out") == "labels.jsonl\nverdicts.parquet\n"
    assert "label_studio/tasks-1.json" in run(
        "export", study, "--out", tmp_path / "out", "--label-studio"
    )
    bring = run("import", study, tmp_path / "out" / "labels.jsonl")
    # A label file has no notes: ben's second sentence is not just so, and is left as it is.
    assert bring.startswith("0 added, 2 the same already, 1 kept")
    assert "ID=NAME" in run("import", study, tmp_path / "out" / "labels.jsonl", "--as", "3")
    copy = tmp_path / "copy.sqlite3"
    assert run("backup", study, "--out", copy) == "copy.sqlite3 written\n"
    assert copy.stat().st_size > 10_000
