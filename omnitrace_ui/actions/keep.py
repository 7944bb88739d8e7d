"""Save, open and export: files that leave the server, and files that come in."""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Literal

from core.errors import InputError
from core.explain import to_json
from core.media import Limits
from core.trace import Trace
from omnitrace_ui.actions.generate import done
from omnitrace_ui.actions.library import SUFFIX
from omnitrace_ui.actions.link import take_view, with_view
from omnitrace_ui.actions.present import explain_with, short_title, show_whole, transcript
from omnitrace_ui.actions.settings import BINS
from omnitrace_ui.components.standalone import standalone
from omnitrace_ui.session import Store, Visitor
from omnitrace_ui.views.figure import explanation_figure


def save_trace(visitor: Visitor, store: Store) -> Path:
    """The visitor's trace as a file to download; it opens as it is shown now.

    Raises:
        InputError: there is nothing to save yet.
    """
    return with_view(_finished(visitor), visitor).save(_target(visitor, store, SUFFIX))


def save_explanation(visitor: Visitor, store: Store) -> Path:
    """The explanation as it is shown, as JSON (``core.explain.to_json``).

    Raises:
        InputError: there is nothing to save yet.
    """
    trace = _finished(visitor)
    document = {
        "instruction": trace.prompt.instruction,
        "answer": trace.answer,
        "model": trace.model.name,
        "curation": visitor.settings.curation.to_json(),
        **to_json(explain_with(trace, visitor.settings)),
    }
    said = transcript(trace, visitor.settings)
    if said is not None:
        document["segments"] = {part: [s._asdict() for s in found] for part, found in said.items()}
    target = _target(visitor, store, ".json")
    target.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    return target


def save_page(visitor: Visitor, store: Store) -> Path:
    """The explanation as it is shown, as a web page that needs no server.

    Raises:
        InputError: there is nothing to save yet.
    """
    trace = _finished(visitor)
    value, files = show_whole(trace, visitor.settings, visitor.folder)
    facts = f"{trace.model.name} · {short_title(value['answer']['rules']['signal'])}"
    target = _target(visitor, store, ".html")
    page = standalone(trace.prompt.instruction or "OmniTrace", facts, value, files)
    target.write_text(page, encoding="utf-8")
    return target


def save_figure(
    visitor: Visitor, store: Store, form: Literal["svg", "png"], *, limits: Limits
) -> Path:
    """The explanation as it is shown, as a figure for a paper.

    Raises:
        InputError: there is nothing to save yet.
    """
    trace = _finished(visitor)
    target = _target(visitor, store, f".{form}")
    target.write_bytes(
        explanation_figure(
            trace,
            explain_with(trace, visitor.settings),
            visitor.selected,
            limits=limits,
            form=form,
        )
    )
    return target


def open_trace(visitor: Visitor, store: Store, path: Path) -> None:
    """Show a trace file that the visitor uploaded or that the server offers.

    Nothing in the file names a file of this machine: it is rebuilt from checked records, and its
    media go to a new folder of the visitor's.

    Raises:
        TraceFileError: it is no sound trace file.
        InputError: an answer is being written.
    """
    if visitor.running:
        raise InputError("An answer is being written. Stop it first, then open a trace.")
    folder = store.fresh_folder(visitor)
    trace = Trace.load(path, folder)
    visitor.trace, visitor.folder = trace, folder
    if visitor.settings.segmenter not in (BINS, *trace.transcripts):
        visitor.settings = replace(visitor.settings, segmenter=None)
    visitor.trace_key = f"{visitor.runs}-{secrets.token_hex(4)}"
    visitor.selected = None
    if trace.view:
        take_view(visitor, trace.view)
    visitor.status = done(trace)


def open_uploaded(visitor: Visitor, store: Store, path: Path) -> None:
    """``open_trace`` of an upload, which goes some minutes later, as no form names it."""
    open_trace(visitor, store, store.given(visitor, path))


def _finished(visitor: Visitor) -> Trace:
    if visitor.trace is None:
        raise InputError("There is no answer yet. Press Trace, or open a saved trace.")
    if visitor.running:
        raise InputError("The answer is still being written. Wait for its end, or stop it.")
    return visitor.trace


def _target(visitor: Visitor, store: Store, suffix: str) -> Path:
    """A file in the visitor's folder, named after the instruction."""
    folder = store.folder(visitor) / "saved"
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"*{suffix}"):
        old.unlink()
    instruction = visitor.trace.prompt.instruction if visitor.trace else ""
    plain = unicodedata.normalize("NFKD", instruction).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain)[:6])[:48].strip("-")
    return folder / f"{slug or 'trace'}{suffix}"
