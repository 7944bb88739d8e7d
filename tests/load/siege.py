"""Hostile files and requests against a running server, while a visitor with a secret looks on."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.load.hostile import KINDS, TOUCHED, abuses, hostile_files
from tests.load.visitor import Visitor, file_data, visiting

SECRET = "the sparrow sleeps in the third drawer"
PASSWORDS = "root:x:0:0"
SLOW = 60.0
"""Seconds after which an answer counts as a hang; decoding a film may take some."""


@dataclass
class Siege:
    """What a siege met.

    Attributes:
        files: how many were sent; ``refused_uploads`` of them were not even taken.
        told: refusals that a person can read; ``used``: files that turned out to be usable.
        requests: malformed requests.
        wrong: crashes, hangs, leaks, in words.
        slowest: seconds.
    """

    files: int = 0
    refused_uploads: int = 0
    told: int = 0
    used: int = 0
    requests: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0


def besiege(url: str, count: int, *, each: int = 4) -> Siege:
    """Send so many files over every way in, and so many times malformed values to every event."""
    siege = Siege()
    TOUCHED.unlink(missing_ok=True)
    with visiting(url) as victim, visiting(url) as thief:
        _trace_secret(victim)
        kept = victim.view()
        for number, (name, content) in enumerate(hostile_files(count)):
            _send(siege, thief, number, name, content)
        for body in abuses(thief.events, session=thief.session, each=each):
            _ask(siege, thief, body)
        _steal(siege, thief, kept)
        if _shown(victim.view()) != _shown(kept):
            siege.wrong.append("the victim's trace was changed")
        _trace_secret(victim)
    if TOUCHED.exists():
        siege.wrong.append("something was unpickled")
    return siege


def _trace_secret(victim: Visitor) -> None:
    part = victim.part("text", "", f"Anna sold two cars. {SECRET}.".encode())
    *_, last = victim.run("Summarize the text.", [part])
    shown = victim.view()
    if not last["success"] or shown["status"]["phase"] != "done":
        raise AssertionError(f"the visitor who means well was not served: {shown['status']}")


def _send(siege: Siege, thief: Visitor, number: int, name: str, content: bytes) -> None:
    """One file: as a part of some kind, as a trace, and back again."""
    siege.files += 1
    begun = time.monotonic()
    answer = thief.upload(name, content)
    if answer.status_code >= 400:
        siege.refused_uploads += 1
        _look(siege, name, answer)
        return
    file = file_data(answer.json()[0], name)
    part = {"id": "p", "kind": KINDS[number % len(KINDS)], "file": file}
    if name.endswith(".omnitrace") or number % 7 == 0:
        messages = list(thief.event("open", {"upload": file}))
    else:
        messages = list(thief.run("What is this?", [part]))
    said = json.dumps(messages)
    _note(siege, name, said, time.monotonic() - begun)
    used = messages[-1]["success"] and '"error"' not in said
    siege.used += used
    siege.told += not used
    if not used and "Something went wrong on our side" in said:
        siege.wrong.append(f"{name[:60]!r}: an unexpected failure")
    served = thief.file(file["path"])
    safe = served.headers.get("content-disposition", "").startswith("attachment")
    if not safe and served.headers.get("content-type", "").startswith(("text/html", "image/svg")):
        siege.wrong.append(f"{name[:60]!r} is served as a page")


def _ask(siege: Siege, thief: Visitor, body: dict) -> None:
    siege.requests += 1
    begun = time.monotonic()
    answer = thief.join(body)
    _look(siege, str(body)[:80], answer)
    _note(siege, str(body)[:80], answer.text, time.monotonic() - begun)


def _steal(siege: Siege, thief: Visitor, kept: dict) -> None:
    """Another's files by every name that can be guessed from one's own."""
    for path in ("/etc/passwd", "/proc/self/environ", "/app/app.py", str(Path(__file__).resolve())):
        if thief.file(path).status_code < 400:
            siege.wrong.append(f"{path} was served")
        row = {"id": "p", "kind": "image", "file": file_data(path, "a.png")}
        _note(siege, path, json.dumps(list(thief.run("What?", [row]))), 0)
    mine = thief.part("image", "a.png", b"x")["file"]["path"]
    root = Path(mine).parents[1]
    for guess in (root, root / "visitors", root / "visitors" / "..", root / "deep_links"):
        if thief.file(str(guess)).status_code < 400:
            siege.wrong.append(f"{guess} was served")


def _look(siege: Siege, what: str, answer: httpx.Response) -> None:
    if answer.status_code >= 500 and answer.status_code != 507:
        siege.wrong.append(f"{what[:60]!r}: {answer.status_code} {answer.text[:80]}")


def _note(siege: Siege, what: str, said: str, seconds: float) -> None:
    siege.slowest = max(siege.slowest, seconds)
    if seconds > SLOW:
        siege.wrong.append(f"{what[:60]!r} took {seconds:.0f} s")
    for leaked in (SECRET, PASSWORDS, "Traceback (most recent"):
        if leaked in said:
            siege.wrong.append(f"{what[:60]!r}: {leaked!r} came back")


def _shown(view: dict) -> object:
    return view["answer"], [part.get("filename") for part in view["parts"]], view["units"]
