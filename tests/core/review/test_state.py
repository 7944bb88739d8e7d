"""State is a fold of events: against snapshots that a plain model keeps, and rule by rule."""

from dataclasses import asdict, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.evaluation.labels import Interval
from core.review import SentenceState, Verdict, accept, commit, draw, flag, note, select, undo
from core.review.changes import replace as whole
from core.review.checking import checked
from core.review.records import FLAGS, Event, Item, Place
from core.review.state import joined, last_standing, replay
from core.sources import SourceUnit

UNITS = (
    SourceUnit("p0.0", "text", 0, "Text 1", 0, 5, "A cat"),
    SourceUnit("p1.0", "image", 1, "Image 1"),
    SourceUnit("p2.0", "audio", 2, "Audio 1", 0.0, 1.0),
    SourceUnit("p3.0", "video_frames", 3, "Film 1", 0.0, 1.0),
    SourceUnit("p3.s0", "video_sound", 3, "Film 1", 0.0, 1.0),
    SourceUnit("p4.0", "audio", 4, "Audio 2"),
)
ITEM = Item("0" * 16, "a", "m", "t", ("A.",), UNITS, (None, None, 10.0, 20.0, 5.0))
JUDGE = Verdict(("p1.0",), (Interval(2, 1.0, 2.0),))
PLACE = Place(ITEM.id, 0)


def event(version: int, change, state: SentenceState) -> Event:
    payload = checked(change, ITEM, state, JUDGE)
    return Event(
        f"e{version}", "anna", "anna", PLACE, version, float(version), change.kind, payload
    )


def run(*changes) -> SentenceState:
    events: list[Event] = []
    for change in changes:
        events.append(event(len(events) + 1, change, replay(events)))
    return replay(events)


edges = st.tuples(st.integers(0, 8), st.integers(1, 5)).map(lambda e: (e[0], min(sum(e), 10)))
"""Within the shorter recording: cutting at its end is tested on desks."""
units = st.sampled_from(["p0.0", "p1.0", "p4.0"])
actions = st.one_of(
    st.builds(select, units, st.booleans()),
    st.builds(draw, st.just(2), st.lists(edges, max_size=3)),
    st.builds(draw, st.just(3), st.lists(edges, max_size=2), st.just("video_sound")),
    st.builds(note, st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
    st.builds(flag, st.sampled_from(FLAGS), st.booleans()),
    st.builds(whole, st.builds(Verdict, st.just(("p0.0",)), unsure=st.booleans())),
    st.builds(accept),
    st.builds(commit),
    st.builds(undo),
)


def seconds_of(intervals) -> set[int]:
    return {s for start, end in intervals for s in range(int(start), int(end))}


class Model:
    """The same rules, kept as sets of whole seconds and snapshots: nothing is folded."""

    def __init__(self) -> None:
        self.now = {
            "units": frozenset(),
            "seconds": {},
            "note": "",
            "accepted": False,
            **dict.fromkeys(FLAGS, False),
        }
        self.committed = self.first = None
        self.before: list[tuple] = []

    def do(self, change) -> None:
        payload = change.payload
        if change.kind == "undo":
            self.now, self.committed = self.before.pop()
            return
        self.before.append((dict(self.now), self.committed))
        now = dict(self.now)
        if change.kind == "unit":
            put = now["units"].union if payload["on"] else now["units"].difference
            now |= {"units": put({payload["id"]}), "accepted": False}
        elif change.kind == "intervals":
            line = payload["part"], payload["lane"]
            seconds = {**now["seconds"], line: seconds_of(payload["intervals"])}
            now |= {"seconds": {k: v for k, v in seconds.items() if v}, "accepted": False}
        elif change.kind == "note":
            done = self.committed == self.now
            now["note"] = payload["text"]
            self.committed = now if done else self.committed
        elif change.kind == "flag":
            now[payload["name"]] = payload["on"]
            if payload["name"] == "unsupported":
                now["accepted"] = False
                if payload["on"]:
                    now |= {"units": frozenset(), "seconds": {}}
        elif change.kind == "replace":
            now = {**Model().now, "units": frozenset(payload["units"])}
            now |= {name: payload[name] for name in (*FLAGS, "note")}
        elif change.kind == "accept":
            now = {**Model().now, "units": frozenset(["p1.0"]), "seconds": {(2, None): {1}}}
            now |= {"note": self.now["note"], "accepted": True}
        if now["units"] or now["seconds"]:
            now["unsupported"] = False
        self.now = now
        if change.kind in ("accept", "commit"):
            self.committed = now
            self.first = self.first or now


def told(verdict: Verdict | None):
    if verdict is None:
        return None
    seconds: dict = {}
    for one in verdict.intervals:
        line = seconds.setdefault((one.part, one.lane), set())
        line |= seconds_of([(one.start, one.end)])
    plain = asdict(verdict)
    del plain["intervals"]
    return {**plain, "units": frozenset(verdict.units), "seconds": seconds}


@settings(max_examples=100)
@given(st.lists(actions, max_size=14))
def test_the_state_is_a_plain_replay(changes):
    model, events, state = Model(), [], SentenceState()
    for change in changes:
        verdict = state.verdict
        if change.kind == "undo" and not state.undoable:
            continue
        if change.kind == "commit" and verdict.is_empty and not (verdict.unsure or verdict.bad):
            continue
        events.append(event(len(events) + 1, change, state))
        model.do(change)
        state = replay(events)
        assert told(state.verdict) == model.now
        assert told(state.committed) == model.committed
        assert told(state.first) == model.first
        assert (state.version, state.undoable) == (len(events), len(model.before))
        assert state.done == (model.committed is not None and model.committed == model.now)


def test_a_source_ends_unsupported_and_unsupported_lets_sources_go():
    assert run(flag("unsupported"), select("p0.0")).verdict == Verdict(("p0.0",))
    dropped = run(select("p0.0"), draw(2, [(0, 1)]), flag("unsupported")).verdict
    assert dropped == Verdict(unsupported=True)


def test_letting_nothing_go_leaves_unsupported():
    assert run(flag("unsupported"), select("p0.0", on=False)).verdict.unsupported


def test_the_judge_is_accepted_and_committed_at_once_and_undone_at_once():
    state = run(note("hm"), accept())
    assert state.done and state.committed == replace(JUDGE, accepted=True, note="hm")
    back = run(note("hm"), accept(), undo())
    assert (back.verdict, back.committed) == (Verdict(note="hm"), None)
    assert back.first == state.committed, "what was shown after it stays shown"


def test_a_change_after_a_commit_waits_for_the_next_but_a_note_does_not():
    assert run(accept(), note("sure?")).done
    changed = run(accept(), select("p0.0"))
    assert not changed.done and changed.committed == replace(JUDGE, accepted=True)
    assert not changed.verdict.accepted


def test_intervals_are_joined_per_stream():
    lines = [Interval(3, 0, 2, "video_sound"), Interval(3, 1, 3), Interval(3, 2, 4, "video_sound")]
    assert joined([*lines, Interval(2, 5, 6), Interval(2, 0, 1)]) == (
        Interval(2, 0, 1),
        Interval(2, 5, 6),
        Interval(3, 1, 3),
        Interval(3, 0, 4, "video_sound"),
    )


def test_the_last_standing_change_is_found_over_sentences():
    def made(version: int, kind: str, sentence: int) -> Event:
        return Event(
            f"{sentence}{version}", "anna", "anna", Place("i", sentence), version, 0, kind, {}
        )

    log = [made(1, "commit", 0), made(1, "commit", 1), made(2, "undo", 1), made(2, "undo", 0)]
    assert last_standing(log[:2]).place.sentence == 1
    assert last_standing(log[:3]).place.sentence == 0
    assert last_standing(log) is None
