"""Gemini, by Google's ``google-genai`` package. Sound and films go as they are, inline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from core.errors import ModelError
from core.evaluation.judge.media import encoded
from core.evaluation.judge.question import Question
from core.evaluation.judge.service import (
    TIMEOUT,
    Reply,
    TryAgain,
    Turn,
    disconnected,
    formless,
    key_from,
    package,
    raise_status,
    seconds_to_wait,
)
from core.prompt import Part, TextPart

KEY = "GEMINI_API_KEY"
_PAID_OUT = ("candidates_token_count", "thoughts_token_count")
_TRANSPORTS = ("httpx", "httpx2", "httpcore", "requests")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


class Gemini:
    """A ``Service``. Threads may share it.

    Args:
        model: e.g. ``gemini-3-pro``.
        base_url: instead of Google's.
        key_variable: the environment variable that holds the key.

    Raises:
        MissingExtraError: the package is not installed.
        ModelError: there is no key.
    """

    def __init__(self, model: str, *, base_url: str | None = None, key_variable: str = KEY) -> None:
        self._sdk = package("google.genai")
        key = key_from(key_variable)
        if not key:
            raise ModelError(f"Gemini needs a key in the environment: set {key_variable}.")
        self.model, self.identity = model, f"gemini {base_url or ''} {model}"
        self._key_variable = key_variable
        self._client = self._sdk.Client(
            api_key=key,
            vertexai=False,
            http_options=self._sdk.types.HttpOptions(
                base_url=base_url, timeout=int(TIMEOUT * 1000)
            ),
        )

    def ask(self, question: Question, turns: Sequence[Turn], *, structured: bool) -> Reply:
        """As ``Service.ask``."""
        types = self._sdk.types
        schema = {"response_json_schema": question.schema} if structured else {}
        config = types.GenerateContentConfig(
            system_instruction=question.prompt.instruction,
            response_mime_type="application/json",
            **schema,
        )
        contents = self._contents(question, turns)
        try:
            said = self._client.models.generate_content(
                model=self.model, contents=contents, config=config
            )
        except self._sdk.errors.APIError as error:
            raise_status(
                error.code or 500,
                error.message if isinstance(error.message, str) else "",
                retry_after=_wait(error),
                model=self.model,
                key=self._key_variable,
            )
        except Exception as error:  # The SDK lets its transport's own errors through.
            raise _disconnected(error) from error
        return _reply(said)

    def _contents(self, question: Question, turns: Sequence[Turn]) -> list[Any]:
        types = self._sdk.types
        asked = [self._part(part) for part in question.prompt.parts]
        contents = [types.Content(role="user", parts=asked)]
        for turn in turns:
            for role, text in (("model", turn.reply), ("user", turn.complaint)):
                # An empty part is refused, and a reply may have been empty.
                part = types.Part.from_text(text=text or "(no answer)")
                contents.append(types.Content(role=role, parts=[part]))
        return contents

    def _part(self, part: Part) -> Any:
        if isinstance(part, TextPart):
            return self._sdk.types.Part.from_text(text=part.text)
        medium = encoded(part)
        return self._sdk.types.Part.from_bytes(data=medium.data, mime_type=medium.type)


def _disconnected(error: Exception) -> TryAgain:
    if type(error).__module__.partition(".")[0] in _TRANSPORTS:
        return disconnected(error)
    if isinstance(error, ValueError):  # Neither JSON nor the API's form.
        return formless()
    raise error


def _reply(said: Any) -> Reply:
    """Of a response; what was blocked holds no text."""
    if not said.candidates and not said.prompt_feedback:
        raise formless()
    usage = said.usage_metadata
    spent = (getattr(usage, name, None) or 0 for name in _PAID_OUT)
    paid_in = getattr(usage, "prompt_token_count", None) or 0
    parts = (
        said.candidates[0].content.parts if said.candidates and said.candidates[0].content else ()
    )
    text = "".join(part.text or "" for part in parts or () if not part.thought)
    return Reply(text, paid_in, sum(spent))


def _wait(error: Any) -> float | None:
    """Seconds that an error asks to wait: by header, or by ``RetryInfo`` among its details."""
    headers = getattr(error.response, "headers", None) or {}
    asked = seconds_to_wait(headers.get("retry-after"))
    if asked is not None:
        return asked
    inner = error.details.get("error", error.details) if isinstance(error.details, dict) else {}
    details = inner.get("details") if isinstance(inner, dict) else None
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        found = _SECONDS.fullmatch(delay) if isinstance(delay, str) else None
        if found:
            return float(found[1])
    return None
