"""Projects made by hand: small answers over text, a picture, a recording and a film."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from core.evaluation.labels import Interval, Label, answer_id
from core.prompt import TextPart
from core.review import Change, Desk, LeadDesk, Place, Project, SentenceView, create_project, new_id
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
