"""A folder of traces → labels by a judge: several questions at a time, each asked until it is
answered in the form that was asked for, a bounded number of times.

What a judge says of an answer holds for every trace of it, so each answer is judged once.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tqdm import tqdm

from core.errors import InputError, TraceFileError
from core.evaluation.folder import open_scores, trace_files
from core.evaluation.judge.cache import Cache, key_of
from core.evaluation.judge.patience import Patience, ServiceDownError
from core.evaluation.judge.question import PROMPT_VERSION, Question, question_of
from core.evaluation.judge.reading import Reading, Verdict, read_reply
from core.evaluation.judge.service import RefusedError, Reply, Service, Turn
from core.evaluation.labels import Label, answer_id
from core.trace import Trace

STRIKES = 3
"""Questions in a row that the service fails to answer before it is given up."""

_WHY = 1_000
"""Characters of the faults that a malformed label repeats."""


class Spent(NamedTuple):
    """Replies that were asked for, those found in the cache, and the tokens of the former."""

    asked: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Judged:
    """What became of a folder.

    Attributes:
        labels: one a sentence, in the order of the files; malformed ones among them.
        failed: ``(file, message)`` of what could not be asked.
        spent: in all.
    """

    labels: tuple[Label, ...]
    failed: tuple[tuple[str, str], ...]
    spent: Spent


def judge_folder(
    folder: Path,
    service: Service,
    cache: Cache,
    *,
    patience: Patience,
    reasks: int = 2,
    concurrency: int = 4,
    limit: int | None = None,
) -> Judged:
    """Ask a judge about every answer of a folder of traces.

    Args:
        folder: of ``.omnitrace`` files, with their media.
        service: whom to ask.
        cache: what was answered before, and where replies are kept.
        patience: how to wait for the service.
        reasks: how often, at most, a malformed answer is asked for again.
        concurrency: questions at a time.
        limit: only the first so many answers.

    Raises:
        InputError: the folder holds no traces, or the cache cannot be written.
        ModelError: the service cannot be used at all, or is given up; what it answered is kept.
    """
    paths, failed = answers(folder, limit)
    asker = Asker(service, cache, patience, reasks)
    labels: dict[Path, tuple[Label, ...]] = {}
    spent, strikes = Spent(), 0
    with ThreadPoolExecutor(concurrency) as pool:
        asked = {pool.submit(asker.judge, path): path for path in paths}
        try:
            for done in tqdm(as_completed(asked), "judging", len(asked), unit="answer", delay=1e-3):
                path = asked[done]
                try:
                    labels[path], one = done.result()
                except (InputError, TraceFileError, ServiceDownError) as error:
                    strikes += isinstance(error, ServiceDownError)
                    if strikes == STRIKES:
                        raise
                    failed.append((path.name, str(error)))
                else:
                    spent, strikes = spent.plus(one), 0
        except BaseException:
            patience.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ordered = tuple(label for path in paths for label in labels.get(path, ()))
    return Judged(ordered, tuple(failed), spent)


def answers(
    folder: Path, limit: int | None = None
) -> tuple[tuple[Path, ...], list[tuple[str, str]]]:
    """The files of a folder, one for each answer, and ``(file, message)`` of those not opened.

    Raises:
        InputError: the folder holds no traces.
    """
    found: dict[str, Path] = {}
    failed: list[tuple[str, str]] = []
    for path in trace_files(folder):
        if len(found) == limit:
            break
        try:
            found.setdefault(answer_id(open_scores(path)), path)
        except TraceFileError as error:
            failed.append((path.name, str(error)))
    return tuple(found.values()), failed


class Asker:
    """Asks one service; threads may share it. Arguments as ``judge_folder``."""

    def __init__(self, service: Service, cache: Cache, patience: Patience, reasks: int) -> None:
        self._service, self._cache = service, cache
        self._patience, self._reasks = patience, reasks
        self._structured = True

    def judge(self, path: Path) -> tuple[tuple[Label, ...], Spent]:
        """The labels for one trace file, and what they cost.

        Raises:
            InputError, TraceFileError: it cannot be judged.
            ModelError: as ``judge_folder``.
        """
        with TemporaryDirectory(prefix="omnitrace-") as media:
            question = question_of(Trace.load(path, media))
            reading, spent = self._answered(question)
        return labels_of(question, reading, self._service.model), spent

    def _answered(self, question: Question) -> tuple[Reading, Spent]:
        """The first reply without a fault, or the last one that may be asked for."""
        key = key_of(question, self._service.identity)
        kept = list(self._cache.read(key))
        turns: list[Turn] = []
        spent = Spent()
        for attempt in range(1 + self._reasks):
            if attempt < len(kept):
                spent = spent.plus(Spent(cached=1))
            else:
                kept.append(self._ask(question, turns))
                self._cache.write(key, kept)
                spent = spent.plus(Spent(1, 0, kept[-1].tokens_in, kept[-1].tokens_out))
            reading = read_reply(kept[attempt].text, question)
            if not reading.faults:
                break
            turns.append(Turn(kept[attempt].text, reading.complaint))
        return reading, spent

    def _ask(self, question: Question, turns: Sequence[Turn]) -> Reply:
        """One reply; without the schema, where the service takes it only so."""
        structured = self._structured
        try:
            return self._patience.until_answered(
                lambda: self._service.ask(question, turns, structured=structured)
            )
        except RefusedError:
            if not structured:
                raise
        reply = self._patience.until_answered(
            lambda: self._service.ask(question, turns, structured=False)
        )
        self._structured = False
        return reply


def labels_of(question: Question, reading: Reading, model: str) -> tuple[Label, ...]:
    """What was soundly said of each sentence; of the others, that it was malformed and why."""
    why = " ".join(reading.faults)[:_WHY]
    return tuple(
        Label(
            question.answer_id,
            index,
            sentence,
            verdict.units,
            verdict.intervals,
            "judge",
            model,
            PROMPT_VERSION,
            "" if index in reading.verdicts else why,
        )
        for index, sentence in enumerate(question.sentences)
        for verdict in [reading.verdicts.get(index, Verdict())]
    )
