"""Replies on disk, one file a question, named by its content. To resume is to ask again.

The name is a digest of the model and its address, the wording, the bytes of the media and the
schema: what changes any of these asks anew. All replies to a question are kept in order, those that
could not be understood too: they were paid for, and asking again goes on from them.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.errors import InputError
from core.evaluation.judge.question import PROMPT_VERSION, Question
from core.evaluation.judge.service import Reply
from core.prompt import TextPart


class Cache:
    """A folder of replies; it is made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> tuple[Reply, ...]:
        """The replies to a question; none if there are none, or the file is damaged."""
        try:
            kept = json.loads(self._file(key).read_text(encoding="utf-8"))
            return tuple(
                Reply(str(text), int(tokens_in), int(tokens_out))
                for text, tokens_in, tokens_out in kept["replies"]
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return ()

    def write(self, key: str, replies: Sequence[Reply]) -> None:
        """Keep the replies, whole or not at all.

        Raises:
            InputError: the folder cannot be written.
        """
        kept = json.dumps({"format": 1, "replies": replies})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=self._folder, suffix=".part", delete=False
            ) as file:
                file.write(kept)
            Path(file.name).replace(self._file(key))
        except OSError as error:
            raise InputError(
                f"The cache {self._folder.name!r} cannot be written: {error.strerror}."
            ) from error

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def key_of(question: Question, identity: str) -> str:
    """What names a question put to a service: 64 hexadecimal digits.

    Raises:
        InputError: a part's media are not there.
    """
    prompt = question.prompt
    parts = [
        part.text if isinstance(part, TextPart) else [part.kind, _digest(part.path, part.name)]
        for part in prompt.parts
    ]
    what = [identity, PROMPT_VERSION, prompt.instruction, parts, question.schema]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _digest(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{name!r} is not in the trace file, so nobody can judge by it. Trace the sample anew."
        ) from error
