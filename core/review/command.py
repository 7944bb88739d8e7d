"""``python -m core review ACTION``: each action takes the parsed arguments and returns its report.

The report may hold names and sentences of strangers: whoever prints it makes it printable.
"""

from __future__ import annotations

import argparse
import getpass
import sys
import threading
from collections.abc import Callable, Iterator, Sequence

from core.errors import InputError
from core.review.agreement import ALL, Agreement, Cell, Disputed, Reliability, Score
from core.review.lead import LeadDesk
from core.review.project import create_project, open_project
from core.review.records import Progress
from core.samples import read_samples

_MOST_DISPUTED = 10
_COLUMNS = {"text": "Text F1", "image": "Image F1", "time": "Time F1"}


def create(args: argparse.Namespace) -> str:
    """Make a project."""
    with create_project(
        args.out,
        traces=args.traces,
        labels=args.labels,
        annotators=args.annotators,
        leads=args.leads,
        overlap=args.overlap,
        seed=args.seed,
        blind=args.blind,
        samples=read_samples(args.samples) if args.samples else (),
    ) as project:
        lines = [f"{project.name}: {len(project.items)} answers"]
        lines += [f"  {one.name}: {one.total} sentences" for one in project.operator().progress()]
        return "\n".join(lines)


def status(args: argparse.Namespace) -> str:
    """Progress, table 4, κ and α, and what is disputed."""
    with open_project(args.project) as project:
        return "\n".join(_status(project.operator()))


def export(args: argparse.Namespace) -> str:
    """Write what was committed."""
    with open_project(args.project) as project:
        written = project.operator().export(args.out, label_studio=args.label_studio)
    return "\n".join(str(path.relative_to(args.out)) for path in written)


def bring_in(args: argparse.Namespace) -> str:
    """Take verdicts over from a file."""
    names = dict(_pair(text) for text in args.names)
    with open_project(args.project) as project:
        found = project.operator().bring_in(args.file, names=names)
    return (
        f"{found.added} added, {found.same} the same already, {found.kept} kept as they are here, "
        f"{found.unknown} of other answers, {found.empty} empty"
    )


def backup(args: argparse.Namespace) -> str:
    """Copy the store."""
    with open_project(args.project) as project:
        return f"{project.backup(args.out).name} written"


def upload(args: argparse.Namespace) -> str:
    """Upload exports again and again, until somebody interrupts."""
    from core.review.upload import schedule_exports

    with (
        open_project(args.project) as project,
        schedule_exports(project.operator(), args.out, args.dataset, minutes=args.every),
    ):
        told = f"uploading every {args.every} minutes; Ctrl-C uploads once more and ends"
        print(told, file=sys.stderr, flush=True)
        threading.Event().wait()
    return ""


def adduser(args: argparse.Namespace) -> str:
    """Let somebody in."""
    password = _password() if args.password else ""
    with open_project(args.project) as project:
        account = project.add_account(args.name, args.role, password)
    return f"{account.name} is {account.role}"


ACTIONS: dict[str, Callable[[argparse.Namespace], str]] = {
    "create": create,
    "status": status,
    "export": export,
    "import": bring_in,
    "backup": backup,
    "upload": upload,
    "adduser": adduser,
}


def _password() -> str:
    """From the terminal, twice; from a pipe, its first line."""
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\n")
    else:
        given = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != given:
            raise InputError("The two passwords differ. Nothing was changed.")
    if not given:
        raise InputError("An empty password is none. Nothing was changed.")
    return given


def _pair(text: str) -> tuple[str, str]:
    user, equals, name = text.partition("=")
    if not equals:
        raise InputError(f"--as {text!r}: write ID=NAME.")
    return user, name


def _status(desk: LeadDesk) -> Iterator[str]:
    yield from map(_progress, desk.progress())
    yield from ("", *_agreement(desk.agreement()))
    disputed = desk.disputed()
    open_ = [one for one in disputed if not one.settled]
    yield ""
    yield f"{len(disputed)} disputed sentences, {len(disputed) - len(open_)} settled"
    yield from map(_disputed, open_[:_MOST_DISPUTED])


def _progress(one: Progress) -> str:
    pace = "" if one.seconds_each is None else f", {one.seconds_each:.0f} s each"
    left = "" if not one.seconds_left else f", {one.seconds_left / 60:.0f} min left"
    return (
        f"{one.name}: {one.done} of {one.total} sentences, {one.items_done} of {one.items} "
        f"answers{pace}{left}"
    )


def _agreement(found: Agreement) -> Iterator[str]:
    yield "Agreement of people with the judge (table 4), F1 in % [95 %] of # samples"
    yield from _cells(found.table_4) or ["  none yet"]
    yield "Agreement between people"
    for one in found.reliability:
        yield f"  {_group(one)}: κ {_coefficient(one.kappa)}, α {_coefficient(one.alpha)}"


def _cells(cells: Sequence[Cell]) -> list[str]:
    return [
        f"  {_group(one)}: {_COLUMNS[one.modality]} {100 * one.f1.value:.2f}"
        f"{_interval(one.f1, 100, 2)} of {one.f1.samples}"
        for one in cells
    ]


def _group(one: Cell | Reliability) -> str:
    return one.task if one.annotator == ALL else one.annotator


def _coefficient(score: Score | None) -> str:
    if score is None:
        return "–"
    return f"{score.value:.3f}{_interval(score, 1, 3)} ({score.sentences} sentences)"


def _interval(score: Score, factor: int, digits: int) -> str:
    if score.interval is None:
        return ""
    low, high = score.interval
    return f" [{factor * low:.{digits}f}, {factor * high:.{digits}f}]"


def _disputed(one: Disputed) -> str:
    flags = "".join(
        f", {flag}: {' '.join(names)}"
        for flag, names in (("unsure", one.unsure), ("bad", one.bad))
        if names
    )
    return (
        f"  {one.agreement:4.0%}  {one.place.item} sentence {one.place.sentence + 1}"
        f" ({', '.join(one.people)}{flags}): {one.text[:100]}"
    )
