"""What a project is made with, and never changes: items, the judge's labels, who checks what.

PROJECT/project.json    id, seed, blind, shared items, queues
PROJECT/items.jsonl     one ``Item`` a line
PROJECT/judge.jsonl     the judge's labels of these items
PROJECT/traces/         copies of the trace files, by item id
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation.labels import Label, answer_id, read_labels, write_labels
from core.review.records import Item, Judged, Place, Verdict
from core.review.state import joined
from core.sources import SourceUnit, cut
from core.spans import spans
from core.timeline import LANES
from core.trace import Trace

FORMAT = 1
FILE, _ITEMS, _JUDGE = "project.json", "items.jsonl", "judge.jsonl"


@dataclass(frozen=True)
class Manifest:
    """A project as it was made.

    Attributes:
        id: 32 hexadecimal digits; names the project in a store that several share.
        seed: of assignment and orders.
        blind: see ``Project``.
        shared: ids of the items that everybody checks.
        queues: annotator → item ids in order.
        items: id → item.
        labels: the judge's, of these items' sentences.
    """

    id: str
    seed: int
    blind: bool
    shared: tuple[str, ...]
    queues: Mapping[str, tuple[str, ...]]
    items: Mapping[str, Item]
    labels: tuple[Label, ...]

    def judged(self) -> dict[Place, Judged]:
        """Sentence → what the judge said of it."""
        return {
            Place(label.answer_id, label.span): Judged(
                verdict_of(label, self.items[label.answer_id]), label.name
            )
            for label in self.labels
        }


def trace_path(folder: Path, item: str) -> Path:
    """Where a project keeps an item's trace."""
    return folder / "traces" / f"{item}.omnitrace"


def item_of(trace: Trace, title: str, task: str | None) -> Item:
    """An answer as something to be checked; ``task``: the sample's, if there is one."""
    units = cut(trace.prompt, trace.timeline, trace.media).units
    present = {unit.lane for unit in units}
    return Item(
        answer_id(trace),
        title,
        trace.model.name,
        task or " + ".join(lane for lane in LANES if lane in present) or "nothing",
        tuple(span.text for span in spans(trace.answer, trace.tokens)),
        units,
        tuple(info.duration for info in trace.media),
    )


def fitting(labels: Iterable[Label], items: Mapping[str, Item]) -> tuple[Label, ...]:
    """The labels that fit a sentence of these items.

    Raises:
        InputError: a person's label, or two labellers of one sentence.
    """
    found: dict[Place, Label] = {}
    for label in labels:
        place = Place(label.answer_id, label.span)
        sentences = items[place.item].sentences if place.item in items else ()
        if place.sentence >= len(sentences) or sentences[place.sentence] != label.text:
            continue
        if label.by == "person":
            raise InputError(
                f"The labels hold verdicts of a person, {label.name[:60]!r}: start from a judge's "
                "labels, and bring people's in with `core review import`."
            )
        other = found.setdefault(place, label)
        if other is not label:
            raise InputError(
                f"Two labellers judged one sentence: {other.name[:60]!r} and {label.name[:60]!r}. "
                "Keep one of them in the label file."
            )
    return tuple(found.values())


def verdict_of(label: Label, item: Item) -> Verdict:
    """A label as a verdict; units that the item does not have are passed over, as in scoring."""
    units = tuple(sorted(set(label.units) & item.selectable))
    intervals = joined(one for one in label.intervals if one.part in item.timed)
    return Verdict(units, intervals, unsupported=not (units or intervals))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the files of a project that has none yet."""
    document = {
        "format": FORMAT,
        "id": manifest.id,
        "seed": manifest.seed,
        "blind": manifest.blind,
        "shared": manifest.shared,
        "queues": manifest.queues,
    }
    (folder / FILE).write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
    lines = (json.dumps(asdict(item)) + "\n" for item in manifest.items.values())
    (folder / _ITEMS).write_text("".join(lines), "utf-8")
    write_labels(folder / _JUDGE, manifest.labels)


def read_manifest(folder: Path) -> Manifest:
    """Read a project's files.

    Raises:
        InputError: it is no project, is damaged, or newer than this version.
    """
    try:
        document = json.loads((folder / FILE).read_text("utf-8"))
        version = document["format"]
        if version > FORMAT:
            raise InputError(
                f"{folder.name!r} has format {version}, written by a newer OmniTrace Explorer; "
                f"this one reads up to {FORMAT}. Update it to open the project."
            )
        lines = (folder / _ITEMS).read_text("utf-8").splitlines()
        items = [_item(json.loads(line)) for line in lines]
        return Manifest(
            document["id"],
            document["seed"],
            document["blind"],
            tuple(document["shared"]),
            {name: tuple(queue) for name, queue in document["queues"].items()},
            {item.id: item for item in items},
            read_labels(folder / _JUDGE),
        )
    except FileNotFoundError as error:
        raise InputError(
            f"{folder.name!r} is no annotators' project: make one with `core review create`."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"The project {folder.name!r} is damaged: {FILE} or {_ITEMS}.") from error


def _item(value: Mapping[str, Any]) -> Item:
    units: Sequence[Mapping[str, Any]] = value["units"]
    return Item(
        value["id"],
        value["title"],
        value["model"],
        value["task"],
        tuple(value["sentences"]),
        tuple(SourceUnit(**unit) for unit in units),
        tuple(value["durations"]),
    )
