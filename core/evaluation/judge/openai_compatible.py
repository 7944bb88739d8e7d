"""Any endpoint that speaks OpenAI's chat completions, by the ``openai`` package.

Pictures go as data URLs, sound as ``input_audio``, films as ``video_url``: OpenAI itself takes no
films, but servers of open models do. What an endpoint does not take, it refuses, and is told.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from core.errors import ModelError
from core.evaluation.judge.media import Encoded, encoded
from core.evaluation.judge.question import Question
from core.evaluation.judge.service import (
    CONNECT_SECONDS,
    TIMEOUT,
    Reply,
    Turn,
    disconnected,
    formless,
    key_from,
    package,
    raise_status,
    seconds_to_wait,
)
from core.prompt import Part, TextPart

KEY = "OPENAI_API_KEY"
BASE_URL = "OPENAI_BASE_URL"
HOME = "https://api.openai.com/v1"


class OpenAICompatible:
    """A ``Service``. Threads may share it.

    Args:
        model: as the endpoint names it.
        base_url: of the endpoint; default: the environment's ``OPENAI_BASE_URL``, else OpenAI's.
        key_variable: the environment variable that holds the key. Endpoints other than OpenAI's may
            need none.

    Raises:
        MissingExtraError: the package is not installed.
        ModelError: OpenAI's own endpoint, and no key.
    """

    def __init__(self, model: str, *, base_url: str | None = None, key_variable: str = KEY) -> None:
        self._sdk = package("openai")
        address = base_url or os.environ.get(BASE_URL) or HOME
        key = key_from(key_variable)
        if not key and address == HOME:
            raise ModelError(
                f"OpenAI needs a key in the environment: set {key_variable}, or name another "
                "endpoint by --base-url."
            )
        self.model, self.identity = model, f"openai {address} {model}"
        self._key_variable, self._host = key_variable, urlsplit(address).hostname or address
        timeout = self._sdk.Timeout(TIMEOUT, connect=CONNECT_SECONDS)
        self._client = self._sdk.OpenAI(
            api_key=key or "none", base_url=address, max_retries=0, timeout=timeout
        )

    def ask(self, question: Question, turns: Sequence[Turn], *, structured: bool) -> Reply:
        """As ``Service.ask``."""
        options = {"response_format": _format(question)} if structured else {}
        messages = _messages(question, turns)
        sdk = self._sdk
        try:
            said = self._client.chat.completions.create(
                model=self.model, messages=messages, **options
            )
        except sdk.APIConnectionError as error:
            cause = error.__cause__ or error
            raise disconnected(cause, at=f" at {self._host}") from error
        except sdk.APIStatusError as error:
            raise_status(
                error.status_code,
                _told(error.body),
                retry_after=seconds_to_wait(error.response.headers.get("retry-after")),
                model=self.model,
                key=self._key_variable,
            )
        except (sdk.APIError, ValueError) as error:
            raise formless() from error
        return _reply(said)


def _messages(question: Question, turns: Sequence[Turn]) -> list[dict[str, Any]]:
    prompt = question.prompt
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": prompt.instruction},
        {"role": "user", "content": [_content(part) for part in prompt.parts]},
    ]
    for turn in turns:
        messages.append({"role": "assistant", "content": turn.reply})
        messages.append({"role": "user", "content": turn.complaint})
    return messages


def _content(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    medium = encoded(part)
    if part.kind == "audio":
        data = b64encode(medium.data).decode()
        return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    kind = "image_url" if part.kind == "image" else "video_url"
    return {"type": kind, kind: {"url": _data_url(medium)}}


def _data_url(medium: Encoded) -> str:
    return f"data:{medium.type};base64,{b64encode(medium.data).decode()}"


def _format(question: Question) -> dict[str, Any]:
    schema = {"name": "sources", "strict": True, "schema": question.schema}
    return {"type": "json_schema", "json_schema": schema}


def _reply(said: Any) -> Reply:
    """Of a completion; of anything else that came with status 200, try again."""
    try:
        message, usage = said.choices[0].message, said.usage
        counted = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return Reply(message.content or "", *counted)
    except (AttributeError, IndexError, TypeError) as error:
        raise formless() from error


def _told(body: Any) -> str:
    """What the service says itself."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message", "") if isinstance(inner, dict) else inner
    return message if isinstance(message, str) else ""
