"""A real model whose process is killed in the middle of an answer, where the sample says so.

"Fall once." is the end of the first process that answers it. Prompts that are begun and loads of
the model are noted in files, so that a test sees what was done, how often, and by how many.
"""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.batch import ModelChoice
from core.models.base import Prepared, Run, TracedModel
from core.prompt import Prompt


@dataclass(frozen=True)
class MortalChoice(ModelChoice):
    """``folder``: where begun prompts are noted."""

    folder: Path = Path()

    def load(self) -> TracedModel:
        note(self.folder / "loads", str(os.getpid()))
        return Mortal(super().load(), self.folder / "begun")


class Mortal:
    def __init__(self, model: TracedModel, notes: Path) -> None:
        self._model, self._notes = model, notes
        self._doomed = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def prepare(self, prompt: Prompt, **options: object) -> Prepared:
        text = prompt.parts[0].text
        self._doomed = text == "Fall once." and text not in noted(self._notes)
        note(self._notes, text)
        return self._model.prepare(prompt, **options)

    def start(self, prepared: Prepared, **options: bool) -> Run:
        run = self._model.start(prepared, **options)
        return MortalRun(run) if self._doomed else run


class MortalRun:
    """Reads its prompt; the first token that it is given is its last."""

    def __init__(self, run: Run) -> None:
        self.read_prompt = run.read_prompt

    def read_tokens(self, tokens: Sequence[int]) -> object:
        os.kill(os.getpid(), signal.SIGKILL)


def note(notes: Path, line: str) -> None:
    """Append a line; several processes may."""
    with notes.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def noted(notes: Path) -> list[str]:
    """The lines so far."""
    return notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
