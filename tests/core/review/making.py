"""Projects made by hand: small answers over text, a picture, a recording and a film."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import StaleError
from core.evaluation.labels import Interval, Label, answer_id
from core.prompt import TextPart
from core.review import (
    Change,
    Desk,
    LeadDesk,
    Place,
    Project,
    SentenceView,
    create_project,
    new_id,
    note,
)
from tests.core.handmade import PROMPT, ROWS, trace_of

SENTENCES = ("A cat sat.", "It rained.", "A box fell.")
"""What every answer says."""

SAID = (
    (("p0.0",), ()),
    ((), (Interval(2, 0.2, 0.9),)),
    (("p0.1", "p1.0"), (Interval(3, 0.0, 2.0, "video_frames"),)),
)
"""Units and intervals that the judge names for each sentence."""


def save_traces(folder: Path, count: int) -> list[str]:
    """So many answers, which differ in their prompt's text; their ids."""
    folder.mkdir(exist_ok=True)
    ids = []
    for number in range(count):
        parts = (TextPart(f"A cat sat. B. d{number:02}"), *PROMPT.parts[1:])
        pieces = [f"{sentence} " for sentence in SENTENCES]
        made = trace_of(
            np.ones((len(pieces), len(ROWS))), *pieces, prompt=replace(PROMPT, parts=parts)
        )
        made.save(folder / f"answer-{number:02}.omnitrace")
        ids.append(answer_id(made))
    return ids


def judge_labels(ids: list[str]) -> list[Label]:
    """What the judge says of every answer of ``save_traces``."""
    return [
        Label(item, span, SENTENCES[span], units, intervals, "judge", "a judge", "1")
        for item in ids
        for span, (units, intervals) in enumerate(SAID)
    ]


def make_project(folder: Path, count: int = 4, **options: object) -> Project:
    """A project over ``count`` answers in ``folder / "study"``."""
    ids = save_traces(folder / "traces", count)
    options = {"annotators": ("anna", "ben"), "leads": ("lea",), "overlap": 0.5, **options}
    return create_project(
        folder / "study", traces=folder / "traces", labels=judge_labels(ids), **options
    )


def desk_of(project: Project, name: str = "anna") -> Desk:
    """A signed-in annotator's desk."""
    return project.desk(project.sign_in(name))


def lead_of(project: Project) -> LeadDesk:
    """The lead's desk."""
    return project.lead(project.sign_in("lea"))


def shared(project: Project) -> str:
    """An item that both annotators check."""
    mine, yours = (desk_of(project, name).queue for name in ("anna", "ben"))
    return next(item for item in mine if item in yours)


def write(desk: Desk | LeadDesk, place: Place, *changes: Change) -> SentenceView:
    """Make changes one after the other, each on the newest version."""
    view = desk.sentence(place)
    for change in changes:
        view = desk.write(place, change, version=view.state.version, event_id=new_id())
    return view


def race(open_own: Callable[[], Project], place: Place, *, writers: int, each: int) -> list[int]:
    """So many writers, a connection each, on one sentence at once; the versions that they made."""
    start = threading.Barrier(writers)

    def one(number: int) -> list[int]:
        with open_own() as own:
            desk, won = desk_of(own), []
            start.wait()
            view = desk.sentence(place)
            while len(won) < each:
                change = note(f"{number}.{len(won)}")
                try:
                    view = desk.write(place, change, version=view.state.version, event_id=new_id())
                    won.append(view.state.version)
                except StaleError as error:
                    view = error.view
            return won

    with ThreadPoolExecutor(writers) as pool:
        return sorted(version for won in pool.map(one, range(writers)) for version in won)


def send_at_once(send: Callable[[], int], *, times: int) -> set[int]:
    """What several senders of one thing are told."""
    start = threading.Barrier(times)

    def one(_: int) -> int:
        start.wait()
        return send()

    with ThreadPoolExecutor(times) as pool:
        return set(pool.map(one, range(times)))
