"""A visitor without a browser: speaks to a running server as the page's own script does."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from core.prompt import Prompt, TextPart

PATIENCE = 180.0
"""Seconds that one request, or the whole of an event, may take."""

Message = dict[str, Any]


class Visitor:
    """One tab, named by a session of its own; ``close`` closes it as a browser does.

    Args:
        url: of the server, ending in a slash.
        heartbeat: keep the connection open by which gradio knows that a tab is there.
    """

    def __init__(self, url: str, *, heartbeat: bool = True) -> None:
        self.session = secrets.token_hex(6)
        self._api = f"{url}gradio_api/"
        self._http = httpx.Client(timeout=PATIENCE)
        self._config = self._http.get(url + "config").raise_for_status().json()
        self._defaults = {c["id"]: c["props"].get("value") for c in self._config["components"]}
        self._named = {
            c["props"]["elem_id"]: c["id"]
            for c in self._config["components"]
            if c["props"].get("elem_id")
        }
        self._rows = itertools.count()
        self._heartbeat = (
            self._http.send(
                self._http.build_request("GET", f"{self._api}heartbeat/{self.session}"),
                stream=True,
            )
            if heartbeat
            else None
        )

    def close(self) -> None:
        """Leave: every connection is cut."""
        if self._heartbeat is not None:
            self._heartbeat.close()
        self._http.close()

    def upload(self, name: str, content: bytes) -> httpx.Response:
        """Send one file as the form does."""
        return self._http.post(f"{self._api}upload", files={"files": (name, content)})

    def part(self, kind: str, name: str, content: bytes) -> Message:
        """A part of the form: an uploaded file, or for ``text`` its words."""
        row = {"id": f"p{next(self._rows)}", "kind": kind}
        if kind == "text":
            return {**row, "text": content.decode()}
        path = self.upload(name, content).raise_for_status().json()[0]
        return {**row, "file": file_data(path, name)}

    def run(self, instruction: object, parts: object, **others: object) -> Iterator[Message]:
        """Press Trace; messages of the server until the answer has ended."""
        return self.event("run", {"instruction": instruction, "parts": parts, **others})

    def view(self) -> Message:
        """All that the page shows now: what the browser asks for when it missed something."""
        return self.call("resend", {})["view"]

    def call(self, event: str, values: Mapping[str, object]) -> Message:
        """An event that does not wait in a queue; output's element id → value.

        Raises:
            httpx.HTTPStatusError: it failed.
        """
        found = self.dependency(event)
        answer = self._http.post(f"{self._api}run/predict", json=self._body(found, values))
        data = answer.raise_for_status().json()["data"]
        return {self._name(i): v for i, v in zip(found["outputs"], data, strict=True)}

    def event(self, event: str, values: Mapping[str, object]) -> Iterator[Message]:
        """An event of the queue: its messages, the last with ``msg`` ``process_completed``."""
        body = self._body(self.dependency(event), values)
        joined = self._http.post(f"{self._api}queue/join", json=body)
        own = joined.raise_for_status().json()["event_id"]
        query = {"session_hash": self.session}
        with self._http.stream("GET", f"{self._api}queue/data", params=query) as told:
            for line in told.iter_lines():
                message = json.loads(line[5:]) if line.startswith("data:") else {}
                if message.get("event_id") == own:
                    yield message
                if message.get("event_id") == own and message["msg"] == "process_completed":
                    return
        raise ConnectionError("the server hung up")

    def join(self, body: object) -> httpx.Response:
        """Ask for anything at all."""
        return self._http.post(f"{self._api}queue/join", json=body)

    def file(self, path: str) -> httpx.Response:
        """A file that the server offers."""
        return self._http.get(f"{self._api}file={quote(path)}")

    @property
    def events(self) -> Sequence[Message]:
        """Everything that the page can ask for."""
        return self._config["dependencies"]

    def dependency(self, event: str) -> Message:
        """Gradio's description of one of the page's events, found by what it is wired to."""
        named = self._named
        wanted = {
            "run": lambda d: named["note"] in d["outputs"] and named["instruction"] in d["inputs"],
            "check": lambda d: d["outputs"] == [named["parts"]],
            "resend": lambda d: [named["view"], "resend"] in d["targets"],
            "open": lambda d: [named["upload"], "upload"] in d["targets"],
            "save": lambda d: [named["save"], "click"] in d["targets"],
        }[event]
        return next(event for event in self.events if wanted(event))

    def _body(self, found: Message, values: Mapping[str, object]) -> Message:
        ids = {self._named[name]: value for name, value in values.items()}
        data = [ids.get(i, self._defaults[i]) for i in found["inputs"]]
        return {"data": data, "fn_index": found["id"], "session_hash": self.session}

    def _name(self, number: int) -> str:
        return next((name for name, i in self._named.items() if i == number), str(number))


def file_data(path: str, name: str) -> Message:
    """A file as gradio's script names it."""
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


@contextmanager
def visiting(url: str) -> Iterator[Visitor]:
    """A visitor who leaves at the end."""
    visitor = Visitor(url)
    try:
        yield visitor
    finally:
        visitor.close()


def read_parts(visitor: Visitor, prompt: Prompt) -> list[Message]:
    """A prompt's parts, its files uploaded."""
    return [
        visitor.part(part.kind, "", part.text.encode())
        if isinstance(part, TextPart)
        else visitor.part(part.kind, part.name, part.path.read_bytes())
        for part in prompt.parts
    ]
