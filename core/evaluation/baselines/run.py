"""A folder of traces → a baseline's predictions, in the form of labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from core.errors import InputError, TraceFileError
from core.evaluation.judge.run import answers
from core.evaluation.labels import Label
from core.models.base import TracedModel
from core.trace import Trace

Predict = Callable[[Trace], Iterable[Label]]


@dataclass(frozen=True)
class Predicted:
    """What became of a folder.

    Attributes:
        labels: predictions, in the order of the files.
        passed: files to whose prompts the baseline does not apply.
        failed: ``(file, message)``.
    """

    labels: tuple[Label, ...]
    passed: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


def predict_folder(
    folder: Path,
    predict: Predict,
    *,
    applies: Callable[[Trace], bool] = lambda trace: True,
    limit: int | None = None,
) -> Predicted:
    """Predict the sources of every answer of a folder, each once.

    Args:
        folder: of ``.omnitrace`` files, with their media.
        predict: the baseline.
        applies: whether it has a say on a prompt at all.
        limit: only the first so many answers.

    Raises:
        InputError: the folder holds no traces.
    """
    paths, failed = answers(folder, limit)
    labels: list[Label] = []
    passed: list[str] = []
    for path in tqdm(paths, "predicting", unit="answer", delay=1e-3):
        try:
            with TemporaryDirectory(prefix="omnitrace-") as media:
                trace = Trace.load(path, media)
                if applies(trace):
                    labels += predict(trace)
                else:
                    passed.append(path.name)
        except (InputError, TraceFileError) as error:
            failed.append((path.name, str(error)))
    return Predicted(tuple(labels), tuple(passed), tuple(failed))


def require_same(trace: Trace, model: TracedModel) -> None:
    """A baseline that asks the model asks the one that answered.

    Raises:
        InputError: it is another one, by the last part of their names (a hub id's, a folder's).
    """
    answered, asked = (name.rpartition("/")[2] for name in (trace.model.name, model.info.name))
    if answered != asked:
        raise InputError(
            f"The answer is by {trace.model.name!r}, not by {model.info.name!r}: give --model."
        )
