"""The form ↔ prompts: what the browser sends is checked; files go into the visitor's folder."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import InputError, OmniTraceError
from core.media import FPS, Limits, check_prompt, check_together, load_part
from core.prompt import MEDIA_PARTS, Part, Prompt, TextPart
from core.samples import Sample
from omnitrace_ui.session import Store, Visitor
from omnitrace_ui.views import GivenPart
from omnitrace_ui.views.wire import clean

_LOOKS = threading.BoundedSemaphore(2)
"""Files that are decoded at one time, only to see whether they can be used: each may take hundreds
of megabytes."""


class RefusedPartsError(InputError):
    """Some parts of the form cannot be used; ``by_part``: part's id → why and what to do."""

    def __init__(self, by_part: Mapping[str, str]) -> None:
        first, *more = by_part.values()
        others = f" {len(more)} more cannot be used, see beside them." if more else ""
        super().__init__(first + others)
        self.by_part = dict(by_part)


def read_prompt(
    instruction: object,
    form: Sequence[GivenPart],
    visitor: Visitor,
    store: Store,
    *,
    folder: Path,
    limits: Limits,
) -> Prompt:
    """What was given, as a prompt whose files lie in ``folder`` under names chosen here.

    Text parts without a word are left out.

    Raises:
        RefusedPartsError: files of the form are not this visitor's, or are of no use.
        InputError, LimitError: nothing was given, or too much.
    """
    if not isinstance(instruction, str):
        raise InputError("The instruction must be text. Reload the page.")
    check_files(form, visitor, store, limits=limits)
    files = [(store.given(visitor, part.path), part.kind) for part in form if part.path is not None]
    check_together([visitor.checked[file] for file in files], limits, fps=FPS)
    given = [part for part in form if part.path is not None or part.text.strip()]
    prompt = Prompt(
        clean(instruction),
        tuple(_part(part, place, visitor, store, folder) for place, part in enumerate(given)),
    )
    check_prompt(prompt, limits)
    return prompt


def check_files(
    form: Sequence[GivenPart], visitor: Visitor, store: Store, *, limits: Limits
) -> None:
    """Find out early which files can be used; those that can are not looked at again.

    Raises:
        RefusedPartsError: some cannot.
    """
    refused = {}
    for part in form:
        if part.path is None:
            continue
        try:
            path = store.given(visitor, part.path)
            store.hold(visitor, [path])
            if (path, part.kind) not in visitor.checked:
                media = MEDIA_PARTS[part.kind](path, part.name)
                with _LOOKS:
                    looked = load_part(media, limits=limits, fps=1 / limits.video_seconds)
                visitor.checked[path, part.kind] = looked.info
        except OmniTraceError as error:
            refused[part.id] = str(error)
    if refused:
        raise RefusedPartsError(refused)


def _part(given: GivenPart, place: int, visitor: Visitor, store: Store, folder: Path) -> Part:
    if given.path is None:
        return TextPart(given.text)
    source = store.given(visitor, given.path)
    kept = adopt(source, folder, name=f"{place}{_suffix(given.name)}")
    return MEDIA_PARTS[given.kind](kept, given.name)


def adopt(source: Path, folder: Path, *, name: str) -> Path:
    """A file in ``folder`` with the content of ``source``: the same file where the disk allows."""
    target = folder / name
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def prompt_form(prompt: Prompt) -> list[GivenPart]:
    """A prompt's parts as rows of the form; files that are missing are left out."""
    return [
        GivenPart(id=f"t{place}", kind="text", text=part.text)
        if isinstance(part, TextPart)
        else GivenPart(id=f"t{place}", kind=part.kind, path=part.path, name=part.name)
        for place, part in enumerate(prompt.parts)
        if isinstance(part, TextPart) or part.path.is_file()
    ]


def take_sample(sample: Sample, folder: Path) -> Prompt:
    """A sample's prompt, its media taken into ``folder``.

    Raises:
        InputError: a media file of the sample is missing.
    """
    prompt = sample.prompt()
    parts = tuple(
        part
        if isinstance(part, TextPart)
        else replace(part, path=adopt(part.path.resolve(), folder, name=f"{i}{_suffix(part.name)}"))
        for i, part in enumerate(prompt.parts)
    )
    return Prompt(prompt.instruction, parts)


def _suffix(name: str) -> str:
    """The ending of a file's name if it is a plain one: it tells browsers the type."""
    suffix = Path(name).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 6 else ""
