"""Scribe v2, the speech-to-text service of ElevenLabs: sentences by speaker.

The sound leaves this machine.
``POST /v1/speech-to-text`` (elevenlabs.io/docs/api-reference/speech-to-text/convert), spoken
directly: one request a recording needs no client library. The answer's words carry their own
spaces, times in seconds and, by diarisation, a speaker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import isfinite
from typing import Any

import httpx
import numpy as np
import soundfile

from core.errors import ModelError
from core.media import RATE
from core.segmenters.base import full_name, tidy
from core.segmenters.sentences import sentences
from core.trace import Segment

ADDRESS = "https://api.elevenlabs.io"
KEY = "ELEVENLABS_API_KEY"
"""The environment variable that holds the key. It is read when needed, and kept nowhere."""

CONNECT_SECONDS = 5.0
PATIENCE = 60.0
"""Seconds that the service may be silent, beside the length of the recording itself."""

_TOLD = 200
"""Characters of the service's own words that a message repeats."""


@dataclass(frozen=True)
class Scribe:
    """The service at ``address``, which has its regional ones, with ``model``."""

    name: str = "scribe"
    model: str = "scribe_v2"
    address: str = ADDRESS

    def segments(self, samples: np.ndarray) -> tuple[Segment, ...]:
        """As ``Segmenter.segments``: sentences, each of one speaker."""
        duration = len(samples) / RATE
        answer = self._ask(_flac(samples), PATIENCE + duration)
        try:
            words = list(_words(answer["words"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(_UNREADABLE) from error
        return tidy(sentences(words), duration)

    def _ask(self, sound: bytes, patience: float) -> Any:
        try:
            response = httpx.post(
                f"{self.address}/v1/speech-to-text",
                headers={"xi-api-key": _key()},
                data={
                    "model_id": self.model,
                    "diarize": "true",
                    "tag_audio_events": "false",
                    "timestamps_granularity": "word",
                },
                files={"file": ("sound.flac", sound, "audio/flac")},
                timeout=httpx.Timeout(patience, connect=CONNECT_SECONDS),
            )
        except httpx.ConnectError as error:
            raise ModelError(
                f"Scribe cannot be reached at {self.address}. Check the network, or choose a "
                "segmenter that works offline (pauses)."
            ) from error
        except httpx.HTTPError as error:
            raise ModelError(
                f"The connection to Scribe broke before it answered ({type(error).__name__}). "
                "Try again."
            ) from error
        if response.status_code != httpx.codes.OK:
            raise ModelError(_refusal(response))
        try:
            return response.json()
        except ValueError as error:
            raise ModelError(_UNREADABLE) from error


_UNREADABLE = "Scribe answered in a form that is not understood. Try again, or choose another."


def load(model: str) -> Scribe:
    """The service with ``model`` (``scribe_v2`` if empty).

    Raises:
        ModelError: the environment holds no key.
    """
    _key()
    return Scribe(full_name("scribe", model), model or Scribe.model)


def _key() -> str:
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise ModelError(
            f"Scribe needs a key of ElevenLabs in the environment: set {KEY}, or choose a "
            "segmenter that works offline (pauses)."
        )
    if not (key.isascii() and key.isprintable()):
        raise ModelError(f"{KEY} holds characters that no key has. Copy the key anew.")
    return key


def _flac(samples: np.ndarray) -> bytes:
    """Half of WAV's size, and nothing lost."""
    file = BytesIO()
    soundfile.write(file, samples, RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _refusal(response: httpx.Response) -> str:
    status = response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        return f"Scribe refused the key in {KEY} (401){_told(response)}. Check it."
    if status == httpx.codes.TOO_MANY_REQUESTS:
        wait = response.headers.get("retry-after", "")
        when = f"in {wait} s" if wait.isdecimal() else "later"
        return f"Scribe is busy, or its quota is used up (429){_told(response)}. Try again {when}."
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return f"Scribe failed ({status}){_told(response)}. Try again later."
    return f"Scribe refused the recording ({status}){_told(response)}."


def _told(response: httpx.Response) -> str:
    """What the service says itself, ready to follow a sentence; empty if it says nothing."""
    try:
        detail = response.json()["detail"]
        said = detail if isinstance(detail, str) else detail["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {str(said).strip().rstrip('.')[:_TOLD]}"


def _words(found: list[dict[str, Any]]) -> Iterator[Segment]:
    """Words with the space after them; a word that was given no time happens when the last ended.

    Raises:
        KeyError, TypeError, ValueError: they are none.
    """
    last: Segment | None = None
    for entry in found:
        text, kind = str(entry["text"]), entry.get("type", "word")
        if kind == "spacing" and last:
            last = last._replace(text=last.text + text)
        elif kind == "word":
            if last:
                yield last
            at = last.end if last else 0.0
            start = _seconds(entry.get("start"), at)
            end = max(start, _seconds(entry.get("end"), start))
            last = Segment(start, end, text, _speaker(entry))
    if last:
        yield last


def _seconds(value: Any, otherwise: float) -> float:
    seconds = otherwise if value is None else float(value)
    if not isfinite(seconds) or seconds < 0:
        raise ValueError(f"{value!r} is no second of a recording")
    return seconds


def _speaker(entry: dict[str, Any]) -> str | None:
    speaker = entry.get("speaker_id")
    return str(speaker)[:_TOLD] if speaker else None
