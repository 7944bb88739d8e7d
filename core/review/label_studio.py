"""Label Studio: its documented JSON, out and back, for teams that already use it.

One task a sentence. Units are choices whose values are their ids; stretches of sound and film are
labelled regions in seconds (a film's on an audio track that runs in step with it: of a mute film,
silence). A Label Studio project has one labelling interface, so answers whose prompts have the same
kinds of parts go into one pair of files:

    FOLDER/tasks-1.json     import this into a project …
    FOLDER/config-1.xml     … whose labelling interface is this
    FOLDER/media/           serve this as Label Studio's local files (LOCAL_FILES_DOCUMENT_ROOT)

The judge's labels are the tasks' predictions; a blind project's are left out, because Label Studio
shows predictions. https://labelstud.io/guide/export, …/guide/predictions, …/tags
"""

from __future__ import annotations

import html
import json
import shutil
import tempfile
import wave
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from core.errors import InputError
from core.evaluation.labels import TIMED_LANES, Interval
from core.prompt import TextPart
from core.review.export import Said, committed
from core.review.manifest import Manifest, trace_path
from core.review.records import FLAGS, GOLD, Event, Item, Place, Verdict
from core.review.state import joined
from core.trace import Trace

Json = dict[str, Any]

CLOCK = "source"
"""Label of a stretch that names no stream; the others are called as their lanes."""

_SERVED = "/data/local-files/?d=media/"
_LANES = {"audio": ("audio",), "video": ("video_frames", "video_sound")}


def write_tasks(
    folder: Path, manifest: Manifest, events: Sequence[Event], project: Path
) -> tuple[Path, ...]:
    """Write tasks, interfaces and media; the files of tasks and interfaces are returned.

    Raises:
        InputError: the folder cannot be written.
        TraceFileError: a trace was damaged since.
    """
    said: dict[Place, list[Said]] = defaultdict(list)
    for one in committed(manifest, events):
        said[one.said.place].append(one.said)
    shapes: dict[tuple[str, ...], list[Json]] = defaultdict(list)
    try:
        (folder / "media").mkdir(parents=True, exist_ok=True)
        for item in manifest.items.values():
            with tempfile.TemporaryDirectory() as unpacked:
                trace = Trace.load(trace_path(project, item.id), unpacked)
                shared = _shown(trace, item, folder / "media")
            shape = tuple(part.kind for part in trace.prompt.parts)
            shapes[shape] += _tasks(manifest, item, shared, said)
        written = []
        for number, (shape, tasks) in enumerate(shapes.items(), 1):
            written += [folder / f"tasks-{number}.json", folder / f"config-{number}.xml"]
            written[-2].write_text(json.dumps(tasks, ensure_ascii=False, indent=1), "utf-8")
            written[-1].write_bytes(interface(shape))
        return tuple(written)
    except OSError as error:
        raise InputError(f"{folder.name!r} cannot be written: {error.strerror}.") from error


def interface(shape: Sequence[str]) -> bytes:
    """The labelling interface for prompts whose parts are of these kinds: XML."""
    view = ElementTree.Element("View")

    def add(tag: str, **attributes: str) -> ElementTree.Element:
        return ElementTree.SubElement(view, tag, attributes)

    add("Text", name="instruction", value="$instruction")
    for number, kind in enumerate(shape, 1):
        tag = {"text": "Text", "image": "Image", "audio": "Audio", "video": "Video"}[kind]
        of_part = {"name": f"part{number}", "value": f"$part{number}"}
        heard = f"part{number}"
        if kind == "video":
            heard = f"sound{number}"
            add(tag, **of_part, sync=heard)
            add("Audio", name=heard, value=f"$sound{number}", sync=f"part{number}")
        else:
            add(tag, **of_part)
        if kind in _LANES:
            labels = add("Labels", name=f"times{number}", toName=heard)
            for lane in (CLOCK, *_LANES[kind]):
                ElementTree.SubElement(labels, "Label", value=lane)
    add("Header", value="Which sources support this sentence?")
    add("Text", name="sentence", value="$text")
    add("Choices", name="units", toName="sentence", choice="multiple", value="$choices")
    flags = add("Choices", name="flags", toName="sentence", choice="multiple")
    for flag in FLAGS:
        ElementTree.SubElement(flags, "Choice", value=flag)
    add("TextArea", name="note", toName="sentence")
    return ElementTree.tostring(view, "utf-8")


def read_tasks(path: Path, names: Mapping[str, str]) -> list[Said]:
    """The annotations of tasks that were exported here and worked on in Label Studio.

    Args:
        path: JSON, as Label Studio exports it.
        names: Label Studio's user ids or e-mail addresses → annotators here; who is not named is
            taken by that id or address itself.

    Raises:
        InputError: the file is no such JSON; names the task.
    """
    try:
        tasks = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name!r} is not valid JSON.") from error
    found = []
    for number, task in enumerate(tasks if isinstance(tasks, list) else [tasks], 1):
        try:
            found += _annotations(task, names)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise InputError(
                f"{path.name!r}, task {number} is not as Label Studio exports tasks of this "
                "project."
            ) from error
    return found


def _shown(trace: Trace, item: Item, media: Path) -> Json:
    """What a task shows beside its sentence; copies the media."""
    data: Json = {"item": item.id, "instruction": trace.prompt.instruction}
    data["choices"] = [
        {"value": unit.id, "html": html.escape(f"{unit.label} {unit.text}".strip())}
        for unit in item.units
        if unit.id in item.selectable
    ]
    for number, part in enumerate(trace.prompt.parts, 1):
        if isinstance(part, TextPart):
            data[f"part{number}"] = part.text
            continue
        name = f"{item.id}-{number}{part.path.suffix}"
        if part.path.exists():
            shutil.copyfile(part.path, media / name)
        data[f"part{number}"] = _SERVED + name
        if part.kind == "video":
            info = trace.media[number - 1]
            if not info.has_sound:
                name = f"{item.id}-{number}-silence.wav"
                _write_silence(media / name, info.duration or 0.0)
            data[f"sound{number}"] = _SERVED + name
    return data


def _write_silence(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(2 * round(8_000 * seconds)))


def _tasks(
    manifest: Manifest, item: Item, shared: Json, said: Mapping[Place, Sequence[Said]]
) -> list[Json]:
    judged = {} if manifest.blind else manifest.judged()
    tasks = []
    for sentence, text in enumerate(item.sentences):
        place = Place(item.id, sentence)
        task: Json = {"data": {**shared, "sentence": sentence, "text": text}}
        task["annotations"] = [
            {
                "annotator": one.owner,
                "ground_truth": one.owner == GOLD,
                "was_cancelled": False,
                "result": _result(item, shared, one.verdict),
            }
            for one in said.get(place, ())
        ]
        if place in judged:
            verdict, name = judged[place]
            prediction = {"model_version": name, "result": _result(item, shared, verdict)}
            task["predictions"] = [prediction]
        tasks.append(task)
    return tasks


def _result(item: Item, shared: Json, verdict: Verdict) -> list[Json]:
    found = []

    def add(kind: str, name: str, to: str, value: Json, **more: Any) -> None:
        here = {"id": f"r{len(found)}", "type": kind, "from_name": name, "to_name": to}
        found.append({**here, "value": value, **more})

    if verdict.units:
        add("choices", "units", "sentence", {"choices": list(verdict.units)})
    flags = [name for name in FLAGS if getattr(verdict, name)]
    if flags:
        add("choices", "flags", "sentence", {"choices": flags})
    if verdict.note:
        add("textarea", "note", "sentence", {"text": [verdict.note]})
    for one in verdict.intervals:
        number = one.part + 1
        heard = f"sound{number}" if f"sound{number}" in shared else f"part{number}"
        value = {"start": one.start, "end": one.end, "channel": 0, "labels": [one.lane or CLOCK]}
        add("labels", f"times{number}", heard, value, original_length=item.durations[one.part])
    return found


def _annotations(task: Json, names: Mapping[str, str]) -> list[Said]:
    data = task["data"]
    place, text = Place(data["item"], int(data["sentence"])), data["text"]
    found = []
    for one in task.get("annotations", ()):
        if one.get("was_cancelled"):
            continue
        by = one.get("annotator", one.get("completed_by"))
        who = str(by["email"] if isinstance(by, dict) else by)
        owner = GOLD if one.get("ground_truth") else names.get(who, who)
        found.append(Said(owner, place, text, _verdict(one["result"])))
    return found


def _verdict(result: Sequence[Json]) -> Verdict:
    units: set[str] = set()
    flags: dict[str, bool] = {}
    intervals: list[Interval] = []
    note = ""
    for one in result:
        name, value = one["from_name"], one["value"]
        if name == "units":
            units |= {str(unit) for unit in value["choices"]}
        elif name == "flags":
            flags |= {flag: True for flag in FLAGS if flag in value["choices"]}
        elif name == "note":
            lines = value["text"]
            note = lines if isinstance(lines, str) else "\n".join(lines)
        elif name.startswith("times"):
            label = value["labels"][0]
            lane = label if label in TIMED_LANES else None
            start, end = float(value["start"]), float(value["end"])
            intervals.append(Interval(int(name[5:]) - 1, start, end, lane))
    return Verdict(tuple(sorted(units)), joined(intervals), note=note, **flags)
