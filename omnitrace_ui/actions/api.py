"""Trace and explain for programs: the page's own machinery behind plain typed values.

Every call is a visitor of its own who leaves when it is over; what it was given is checked as what
the page sends is. Results that are files stay until gradio's cleaner comes.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.curation import Curation
from core.errors import InputError, OmniTraceError
from core.explain import to_json
from core.prompt import media_part
from core.sources import Granularity
from core.trace import Generation
from omnitrace_ui.actions.explore import Explore
from omnitrace_ui.actions.generate import Request
from omnitrace_ui.actions.keep import open_trace, save_trace
from omnitrace_ui.actions.present import explain_with
from omnitrace_ui.actions.settings import Settings
from omnitrace_ui.session import Visitor
from omnitrace_ui.views import GivenPart, form_value, read_form
from omnitrace_ui.views.wire import JSON, clean, file_data

_FILE = {"_type": "gradio.FileData"}
_MOST_TOKENS = 2048


class RefusedError(OmniTraceError):
    """A run ended without an answer; the message is what the page would have shown."""


class Api:
    """The two endpoints.

    Args:
        explore: the page's handlers.
        keep: told the path of every file that a result names, so that it is cleaned up some day.
    """

    def __init__(self, explore: Explore, keep: Callable[[Path], None]) -> None:
        self._explore, self._store, self._keep = explore, explore.site.store, keep

    def trace(
        self,
        instruction: object,
        parts: object,
        model: object,
        signals: object,
        max_new_tokens: object,
        address: str = "",
    ) -> Iterator[tuple[JSON | None, JSON]]:
        """Progress ``(None, {"status", "done", "total"})``, then ``(trace file, explanation)``.

        Raises:
            OmniTraceError: it cannot be traced.
        """
        visitor, engine = Visitor(), self._explore.site.engine
        request = Request(
            instruction=_text(instruction, "instruction"),
            form=_form(parts),
            model=_text(model, "model") or engine.names[0],
            signals=_signals(signals),
            generation=Generation(max_new_tokens=_count(max_new_tokens)),
            address=address,
        )
        try:
            with closing(self._explore.generator.run(visitor, request)) as frames:
                for frame in frames:
                    status = frame.view["status"]
                    if frame.running:
                        said = {name: status[name] for name in ("text", "done", "total")}
                        yield None, {"status": said.pop("text"), **said}
            if visitor.status.phase != "done" or visitor.trace is None:
                raise RefusedError(visitor.status.text or "Nothing was answered. Try again.")
            file = self._shared(save_trace(visitor, self._store))
            yield file, to_json(explain_with(visitor.trace, visitor.settings))
        finally:
            self._store.forget(visitor)

    def explain(
        self,
        trace: object,
        sentence: object,
        signal: object,
        granularity: tuple[object, object, object],
        preset: object,
        changes: dict[str, object],
    ) -> JSON:
        """The explanation of a trace file or of one of the server's saved traces.

        Args:
            trace: an uploaded file, or a name.
            sentence: number from 1 of the only one wanted; 0: all.
            signal: its name; empty: the best that was recorded.
            granularity: units of text, units of time, and seconds of a bin.
            preset: name of the curation to begin with.
            changes: fields of ``Curation`` to change in it; ``None`` changes nothing.

        Raises:
            OmniTraceError: there is no such trace or sentence, or a setting is out of range.
        """
        visitor, store = Visitor(), self._store
        settings = Settings(
            _text(signal, "signal") or None, _curation(preset, changes), _granularity(*granularity)
        )
        try:
            if isinstance(trace, str):
                open_trace(visitor, store, self._explore.site.library.trace(trace))
            else:
                open_trace(visitor, store, store.given(visitor, _file(trace)))
            opened = visitor.trace
            assert opened is not None
            if settings.signal and settings.signal not in opened.signals:
                known = ", ".join(opened.signals)
                raise InputError(f"The trace has no signal {settings.signal!r}. Recorded: {known}.")
            explained = explain_with(opened, settings)
            count = len(explained.spans)
            if not isinstance(sentence, int) or not 0 <= sentence <= count:
                raise InputError(
                    f"Sentence {sentence!r} is not there: use 1 to {count}, or 0 for all."
                )
            if sentence:
                explained = replace(explained, spans=explained.spans[sentence - 1 : sentence])
            return {"answer": clean(opened.answer), **to_json(explained)}
        finally:
            store.forget(visitor)

    def _shared(self, file: Path) -> JSON:
        """A file of the visitor who is about to leave, kept for the client to fetch."""
        folder = self._store.root / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        kept = Path(shutil.move(file, folder / file.name))
        self._keep(kept)
        return file_data(kept, kept.name)


def _form(parts: object) -> list[GivenPart]:
    """``[{"text": …} | {"file": FileData}]`` → the form that the page would send."""
    if not isinstance(parts, list):
        raise InputError("parts must be a list of {'text': …} and {'file': …}.")
    rows = []
    for place, part in enumerate(parts):
        given = part if isinstance(part, dict) else {}
        if set(given) == {"text"} and isinstance(given["text"], str):
            rows.append(GivenPart(f"a{place}", "text", text=given["text"]))
        elif set(given) == {"file"}:
            path = _file(given["file"])
            called = given["file"].get("orig_name")
            media = media_part(path, called if isinstance(called, str) and called else path.name)
            rows.append(GivenPart(f"a{place}", media.kind, path=path, name=media.name))
        else:
            raise InputError(f"Part {place + 1} must be {{'text': …}} or {{'file': …}}.")
    # Once through the page's own schema: the same limits hold.
    return read_form(form_value(rows))


def _file(value: object) -> Path:
    path = value.get("path") if isinstance(value, dict) and value.get("meta") == _FILE else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise InputError("A file must be an uploaded one: handle_file(path) of gradio_client.")
    return Path(path)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name} must be text.")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_TOKENS:
        raise InputError(f"max_new_tokens is {value!r}: use 1 to {_MOST_TOKENS}.")
    return value


def _signals(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError("signals must be a list of names.")
    return tuple(value)


def _curation(preset: object, changes: dict[str, object]) -> Curation:
    presets = Curation.presets()
    if not isinstance(preset, str) or preset not in presets:
        raise InputError(f"No preset {preset!r}. Known: {', '.join(presets)}.")
    changed: dict[str, Any] = {name: v for name, v in changes.items() if v is not None}
    return replace(presets[preset], **changed)


def _granularity(text_units: Any, time_units: Any, bin_seconds: Any) -> Granularity:
    if not isinstance(bin_seconds, int | float):
        raise InputError(f"bin_seconds is {bin_seconds!r}: use a number.")
    return Granularity(text=text_units, time=time_units, bin_seconds=bin_seconds)
