"""Many visitors at once, each with a prompt of their own: none mixed up, none lost."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from core import load_model, trace
from core.prompt import MediaPart, Prompt, TextPart
from tests.load.visitor import Visitor, read_parts, visiting


@dataclass(frozen=True)
class Known:
    """A prompt and the answer that the model gives to it when nobody else is there."""

    prompt: Prompt
    answer: str


@dataclass
class Outcome:
    """What a crowd met.

    Attributes:
        answers: whole answers, each compared with that of a visitor who is alone.
        wrong: what was not as it should be, in words.
        seconds: how long each answer took, waiting included.
        said: what the page said while waiting, and how often.
    """

    answers: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)


def answers_alone(prompts: Sequence[Prompt]) -> list[Known]:
    """What the embedded model says to each prompt, in this process."""
    model = load_model("embedded")
    return [Known(prompt, trace(model, prompt).answer) for prompt in prompts]


def crowd(url: str, known: Sequence[Known], seconds: float) -> Outcome:
    """So many visitors as prompts are known, all at once, each asking until the time is over."""
    outcome, lock = Outcome(), threading.Lock()
    until = time.monotonic() + seconds

    def visit(own: Known) -> None:
        try:
            with visiting(url) as visitor:
                while True:
                    _ask(visitor, own, outcome, lock)
                    if time.monotonic() >= until:
                        return
        except Exception as error:
            with lock:
                outcome.wrong.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=visit, args=(own,)) for own in known]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def _ask(visitor: Visitor, own: Known, outcome: Outcome, lock: threading.Lock) -> None:
    """One answer, and whether all that comes back is this visitor's own."""
    parts = read_parts(visitor, own.prompt)
    begun = time.monotonic()
    said = [json.dumps(message) for message in visitor.run(own.prompt.instruction, parts)]
    took = time.monotonic() - begun
    wrong = list(_differences(visitor, own))
    with lock:
        outcome.answers += 1
        outcome.seconds.append(took)
        outcome.wrong += wrong
        outcome.said["waited in line"] += any("in line for the model" in text for text in said)


def _differences(visitor: Visitor, own: Known):
    view = visitor.view()
    status = view["status"]
    if status["phase"] != "done":
        yield f"lost: {status['phase']}: {status['text']}"
        return
    spans = view["answer"]["spans"]
    answer = "".join(span["before"] + span["text"] for span in spans) + view["answer"]["tail"]
    if answer != own.answer:
        yield f"mixed up: {answer!r} is not {own.answer!r}"
    for part, shown in zip(own.prompt.parts, view["parts"], strict=True):
        if isinstance(part, TextPart):
            continue
        yield from _differences_of_file(visitor, part, shown["file"])


def _differences_of_file(visitor: Visitor, part: MediaPart, file: dict):
    served = visitor.file(file["path"])
    if served.status_code != 200 or served.content != part.path.read_bytes():
        yield f"mixed up: the file served as {part.name} is another"
