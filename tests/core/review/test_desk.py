"""Desks: shares, blindness, roles, progress; and whatever a stranger's browser may send."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AccessError, InputError, OmniTraceError
from core.evaluation.labels import Interval
from core.review import (
    Account,
    Change,
    Place,
    Project,
    Verdict,
    accept,
    commit,
    create_project,
    draw,
    find_projects,
    flag,
    new_id,
    note,
    open_project,
    select,
    undo,
)
from core.review.progress import progress
from core.review.queues import assign
from core.review.records import Event, SentenceState
from tests.core.review.making import (
    SAID,
    SENTENCES,
    desk_of,
    judge_labels,
    lead_of,
    save_traces,
    shared,
    write,
)

tasks = st.dictionaries(
    st.integers(0, 999).map("{:016x}".format), st.sampled_from("abc"), min_size=1, max_size=40
)


@given(tasks, st.integers(1, 4), st.floats(0, 1), st.integers(0, 99))
def test_every_item_is_dealt_and_the_overlap_is_everybodys(items, people, overlap, seed):
    names = [f"n{i}" for i in range(people)]
    made = assign(items, names, overlap=overlap, seed=seed)
    assert made == assign(dict(reversed(items.items())), names, overlap=overlap, seed=seed)
    queues = [set(made.queues[name]) for name in names]
    assert set.union(*queues) == set(items)
    assert all(
        len(made.queues[name]) == len(queue) for name, queue in zip(names, queues, strict=True)
    )
    everybody = set.intersection(*queues) if people > 1 else set(made.shared)
    assert everybody == set(made.shared)
    assert max(map(len, queues)) - min(map(len, queues)) <= 1
    for task in set(items.values()) if overlap else ():
        assert any(items[item] == task for item in made.shared), "agreement of every task"


def test_orders_differ_between_people_and_with_the_seed():
    items = {f"{i:016x}": "t" for i in range(20)}
    made = assign(items, ["anna", "ben"], overlap=1, seed=1)
    assert set(made.queues["anna"]) == set(made.queues["ben"])
    assert made.queues["anna"] != made.queues["ben"]
    assert made != assign(items, ["anna", "ben"], overlap=1, seed=2)


def test_an_annotator_sees_the_judge_unless_blind(project: Project, blind: Project):
    units, intervals = SAID[1]
    open_view = desk_of(project).sentence(Place(desk_of(project).queue[0], 1))
    assert (open_view.judge, open_view.judge_name) == (Verdict(units, intervals), "a judge")

    desk = desk_of(blind)
    place = Place(desk.queue[0], 1)
    view = desk.sentence(place)
    assert view.hidden and view.judge is None and view.judge_name == ""
    item = desk.item(place.item)
    assert item.hidden and item.item.model == item.item.title == ""
    assert desk.trace(place.item).model.name == ""
    with pytest.raises(InputError, match="hidden until you commit"):
        write(desk, place, accept())
    shown = write(desk, place, draw(2, [(0, 1)]), commit())
    assert shown.judge == Verdict(units, intervals) and not shown.hidden
    # What was shown stays shown, and what was said before it stays the unanchored verdict.
    after = write(desk, place, undo(), accept())
    assert after.judge and after.state.first.intervals == (Interval(2, 0, 1),)
    for other in (0, 2):
        assert desk.item(place.item).hidden
        write(desk, Place(place.item, other), flag("unsupported"), commit())
    assert desk.item(place.item).item.model == "made by hand"
    assert desk.trace(place.item).model.name == "made by hand"


def test_a_desk_serves_its_own_queue_only(project: Project):
    anna, ben = desk_of(project, "anna"), desk_of(project, "ben")
    (foreign,) = set(ben.queue) - set(anna.queue)
    for ask in (anna.item, anna.trace, lambda item: anna.sentence(Place(item, 0))):
        with pytest.raises(InputError, match="not in your queue"):
            ask(foreign)
    with pytest.raises(InputError, match="not in your queue"):
        anna.write(Place(foreign, 0), commit(), version=0, event_id=new_id())
    with pytest.raises(InputError, match="no sentence 4"):
        anna.sentence(Place(anna.queue[0], 3))
    item = shared(project)
    write(ben, Place(item, 0), select("p1.0"), commit())
    assert anna.sentence(Place(item, 0)).state == SentenceState()


def test_roles_are_asked_of_the_store(project: Project):
    lead, anna = project.sign_in("lea"), project.sign_in("anna")
    with pytest.raises(AccessError):
        project.lead(anna)
    with pytest.raises(AccessError):
        project.desk(lead)
    with pytest.raises(AccessError):
        project.lead(Account("mallory", "lead"))
    project.add_account("lea", "annotator")
    with pytest.raises(AccessError):
        project.lead(lead)


def test_passwords_are_kept_as_hashes(project: Project):
    project.add_account("anna", "annotator", "correct horse")
    store = (project.folder / "review.sqlite3").read_bytes()
    wal = (project.folder / "review.sqlite3-wal").read_bytes()
    assert b"correct horse" not in store + wal and b"scrypt$" in store + wal
    assert project.sign_in("anna", "correct horse").name == "anna"
    told = set()
    for name, password in (("anna", "wrong"), ("anna", ""), ("nobody", ""), ("nobody", "x")):
        with pytest.raises(AccessError) as error:
            project.sign_in(name, password)
        told.add(str(error.value))
    assert len(told) == 1, "the message does not tell which of the two is wrong"
    assert project.sign_in(" ben ").name == "ben"


def test_who_joins_later_gets_the_shared_items(project: Project):
    project.add_account("cleo")
    both = set(desk_of(project, "anna").queue) & set(desk_of(project, "ben").queue)
    assert set(desk_of(project, "cleo").queue) == both


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[2J", "x" * 61, "Gold", "ALL", "a\u202eb"])
def test_names_that_will_not_do(project: Project, name: str):
    with pytest.raises(InputError, match=r"will not do|is kept"):
        project.add_account(name)


@pytest.mark.parametrize("name", ["'; DROP TABLE review_event; --", "<b>x</b>", "Zoë 張", "a,b"])
def test_odd_names_are_only_names(project: Project, name: str):
    project.add_account(name)
    desk = desk_of(project, name)
    view = write(
        desk, Place(desk.queue[0], 0), select("p1.0"), note("\x00<script>\u202e\U0001f600")
    )
    assert desk.sentence(view.place).state.verdict.note == "\x00<script>\u202e\U0001f600"
    assert lead_of(project).sentence(view.place).opinions[name] == view.state


WRONG = [
    Change("explode"),
    Change("unit", {"id": "p9.9", "on": True}),
    Change("unit", {"id": "p2.0", "on": True}),
    Change("unit", {"id": ["p0.0"], "on": True}),
    Change("unit", {"id": "p0.0", "on": 1}),
    Change("unit", {"id": "p0.0", "on": True, "more": 1}),
    Change("unit", None),
    draw(0, [(0, 1)]),
    draw(9, [(0, 1)]),
    draw(2, [(0, 1)], "video_sound"),
    draw(2, [(1, 1)]),
    draw(2, [(2, 3)]),
    draw(2, [(-1, 1)]),
    draw(2, [(0, float("nan"))]),
    Change("intervals", {"part": 2, "lane": None, "intervals": [[0]]}),
    Change("intervals", {"part": 2, "lane": None, "intervals": [[0, 1, 2]]}),
    note("x" * 10_001),
    note("\ud800"),
    flag("gold"),
    commit(),
    undo(),
    Change("replace", {"units": ["p0.0"], "intervals": []}),
]


@pytest.mark.parametrize("change", WRONG, ids=lambda c: f"{c.kind}-{str(c.payload)[:40]!a}")
def test_what_does_not_fit_is_refused_and_leaves_nothing(project: Project, change: Change):
    desk = desk_of(project)
    place = Place(desk.queue[0], 0)
    with pytest.raises(InputError):
        desk.write(place, change, version=0, event_id=new_id())
    assert desk.sentence(place).state == SentenceState()


def test_unsupported_with_sources_is_refused_as_a_whole(project: Project):
    from core.review.changes import replace as whole

    desk = desk_of(project)
    with pytest.raises(InputError, match="not unsupported"):
        write(desk, Place(desk.queue[0], 0), whole(Verdict(("p0.0",), unsupported=True)))


def test_intervals_are_cut_at_the_end_of_the_recording(project: Project):
    desk = desk_of(project)
    view = write(
        desk, Place(desk.queue[0], 0), draw(2, [(1, 99)]), draw(3, [(0, 1)], "video_sound")
    )
    assert view.state.verdict.intervals == (Interval(2, 1, 1.5), Interval(3, 0, 1, "video_sound"))


def test_doubt_may_be_committed_without_a_source(project: Project):
    desk = desk_of(project)
    for sentence, name in enumerate(("unsure", "bad", "unsupported")):
        assert write(desk, Place(desk.queue[0], sentence), flag(name), commit()).state.done


def test_progress_and_where_to_go_on(project: Project):
    desk = desk_of(project)
    first, second = desk.queue[:2]
    start = desk.progress()
    assert (start.done, start.total, start.items, start.seconds_each) == (0, 9, 3, None)
    assert start.resume == Place(first, 0)
    write(desk, Place(second, 1), select("p0.0"))
    assert desk.progress().resume == Place(second, 1), "where the work was left, not done"
    write(desk, Place(second, 1), commit())
    assert desk.progress().resume == Place(second, 2)
    for sentence in range(3):
        write(desk, Place(first, sentence), accept())
    found = desk_of(open_project(project.folder)).progress()
    assert (found.done, found.items_done, found.resume) == (4, 1, Place(second, 0))
    assert desk.last_change() == Place(first, 2)
    write(desk, Place(first, 2), undo())
    assert desk.last_change() == Place(first, 1)


def test_pace_leaves_pauses_out():
    def done(sentence: int, time: float) -> Event:
        return Event(f"{sentence}", "a", "a", Place("i", sentence), 1, time, "commit", {})

    events = [done(at, time) for at, time in enumerate((0, 10, 30, 5_000, 5_012))]
    verdict = Verdict(("u",))
    states = {e.place: SentenceState(verdict, verdict, verdict, 1, 1) for e in events}
    found = progress("a", [("i", 8)], states, events)
    assert found.seconds_each == 12 and found.seconds_left == 36
    everything = {Place("i", at): states[Place("i", 0)] for at in range(8)}
    assert progress("a", [("i", 8)], everything, events).resume is None


def test_the_lead_settles_disputes(project: Project):
    place = Place(shared(project), 0)
    anna, ben, lead = desk_of(project, "anna"), desk_of(project, "ben"), lead_of(project)
    write(anna, place, select("p0.1"), commit())
    write(ben, place, select("p0.0"), flag("unsure"), commit())
    (found,) = lead.disputed()
    assert (found.place, found.people, found.unsure) == (place, ("anna", "ben"), ("ben",))
    # anna–ben 0, anna–judge 0, ben–judge 1
    assert found.agreement == pytest.approx(1 / 3) and not found.settled
    from core.review.changes import replace as whole

    view = write(lead, place, whole(lead.sentence(place).opinions["ben"].committed), commit())
    assert view.state.committed.units == ("p0.0",)
    assert view.opinions["anna"].committed.units == ("p0.1",)
    assert lead.disputed()[0].settled
    assert anna.sentence(place).state.committed.units == ("p0.1",), "nobody's own is changed"
    assert [one.done for one in lead.progress()] == [1, 1]


def test_projects_that_cannot_be_made(tmp_path: Path):
    ids = save_traces(tmp_path / "traces", 1)
    labels = judge_labels(ids)

    def refused(match: str, **options: object) -> None:
        options = {"traces": tmp_path / "traces", "labels": labels, "annotators": ["a"], **options}
        with pytest.raises(OmniTraceError, match=match):
            create_project(tmp_path / "new", **options)
        assert not (tmp_path / "new").exists() and find_projects(tmp_path) == ()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["traces"], "no draft is left"

    (trace,) = (tmp_path / "traces").iterdir()
    refused("every name once", annotators=[])
    refused("every name once", annotators=["a", " a"])
    refused("every name once", leads=["a"])
    refused("is no share", overlap=1.5)
    refused("No label fits", labels=[replace(one, text="?") for one in labels])
    refused("Two labellers", labels=[*labels, replace(labels[0], name="another")])
    refused("verdicts of a person", labels=[replace(labels[0], by="person")])
    refused("the same answer", traces=[trace, trace])
    refused("No traces", traces=[])
    refused("cannot be read", labels=tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="not empty"):
        create_project(tmp_path, traces=[trace], labels=labels, annotators=["a"])
    with pytest.raises(InputError, match="is no annotators' project"):
        open_project(tmp_path)


def test_a_damaged_or_newer_project_is_told(project: Project, tmp_path: Path):
    assert find_projects(tmp_path) == (project.folder,)
    assert [item.sentences for item in project.items.values()] == [SENTENCES] * 4
    file = project.folder / "project.json"
    file.write_text(file.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(InputError, match="newer"):
        open_project(project.folder)
    file.write_text("{}")
    with pytest.raises(InputError, match="damaged"):
        open_project(project.folder)
