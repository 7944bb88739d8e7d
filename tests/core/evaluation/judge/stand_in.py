"""A local judge that speaks OpenAI's and Gemini's HTTP, and the faults that a service has."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from core.evaluation.labels import Label
from tests.serving import served

Json = dict[str, Any]
SENTENCES = re.compile(r"Sentences of the answer:\n(.*?)\n\nReply with JSON", re.DOTALL)
TOKENS = (100, 20)
"""Read and written, as the stand-in counts every request."""


@dataclass(frozen=True)
class Fault:
    """What is sent instead of an answer; ``cut`` breaks the connection after so many bytes."""

    status: int = 500
    body: bytes = b'{"error": {"message": "Out of order."}}'
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


class Asked(NamedTuple):
    """A request; names of headers in small letters."""

    path: str
    headers: dict[str, str]
    body: Json

    @property
    def text(self) -> str:
        """All that is written in it, turn by turn."""
        if "messages" in self.body:
            contents = [message["content"] for message in self.body["messages"]]
            parts = [c if isinstance(c, list) else [{"text": c}] for c in contents]
        else:
            parts = [turn["parts"] for turn in self.body["contents"]]
        return "\n".join(piece["text"] for turn in parts for piece in turn if "text" in piece)

    @property
    def sentences(self) -> list[str]:
        """Those to be judged."""
        lines = SENTENCES.search(self.text)[1].split("\n")
        return [line.partition(". ")[2] for line in lines]


@dataclass
class StandIn:
    """What it will answer, and what it was asked. Faults come first, one a request."""

    answer: Callable[[Asked], str] = lambda asked: "{}"
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    address: str = ""

    @property
    def openai(self) -> str:
        return f"{self.address}/v1"


def truthful(labels: Sequence[Label]) -> Callable[[Asked], str]:
    """Answers as labels say; stretches on the recording's clock, as judges know no streams."""
    known = {label.text: label for label in labels}

    def answer(asked: Asked) -> str:
        return replied([known.get(text) for text in asked.sentences])

    return answer


def replied(labels: Sequence[Label | None]) -> str:
    """The JSON that is asked for."""
    return json.dumps(
        {
            "sentences": [
                {
                    "sentence": number,
                    "units": list(label.units) if label else [],
                    "intervals": [
                        {"source": f"p{one.part}", "start": one.start, "end": one.end}
                        for one in (label.intervals if label else ())
                    ],
                }
                for number, label in enumerate(labels, 1)
            ]
        }
    )


def _openai(text: str) -> Json:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "stand-in",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {
            "prompt_tokens": TOKENS[0],
            "completion_tokens": TOKENS[1],
            "total_tokens": sum(TOKENS),
        },
    }


def _gemini(text: str) -> Json:
    thought = {"text": "Let me think.", "thought": True}
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": [thought, {"text": text}]},
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": TOKENS[0],
            "candidatesTokenCount": TOKENS[1] - 5,
            "thoughtsTokenCount": 5,
        },
    }


@contextmanager
def serving() -> Iterator[StandIn]:
    stand_in = StandIn()

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        asked = Asked(request.path, {k.lower(): v for k, v in request.headers.items()}, body)
        stand_in.asked.append(asked)
        if stand_in.faults:
            fault = stand_in.faults.popleft()
        else:
            said = stand_in.answer(asked)
            form = _openai if request.path.endswith("/chat/completions") else _gemini
            fault = Fault(200, json.dumps(form(said)).encode())
        request.send_response(fault.status)
        for name, value in {"Content-Type": "application/json", **fault.headers}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(fault.body)))
        request.end_headers()
        request.wfile.write(fault.body[: fault.cut])
        request.close_connection = fault.cut is not None

    with served(answer) as stand_in.address:
        yield stand_in
