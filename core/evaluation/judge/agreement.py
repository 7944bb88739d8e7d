"""How far two labellers agree, by the same metric as signals are scored (appendix B.2).

    "report the agreement using the same metric: span-level F1 for visual and time F1 for audio and
    video."

F1 is symmetric, so it does not matter which of the two is taken for the truth. Compared are the
sentences on which both said something that can be read; the others are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError, TraceFileError
from core.evaluation.folder import open_scores, trace_files
from core.evaluation.labels import Label, answer_id
from core.evaluation.overlap import OVERALL, Sums, sums_of
from core.evaluation.predictions import by_answer, on_one_clock
from core.evaluation.scoring import Problem, targets_of
from core.evaluation.statistics import ratio_interval
from core.sources import cut
from core.spans import spans
from core.trace import Trace

Row = dict[str, Any]


def agreements(folder: Path, labels: Sequence[Label]) -> tuple[list[Row], list[Problem]]:
    """Every two labellers on the answers of a folder of traces.

    Returns:
        Rows ``{"first", "second", "modality", "f1", "low", "high", "sentences", "answers",
        "left_out"}``, F1 and its 95 % interval in percent, over sentences; ``left_out`` are those
        that only one of the two has, or that are malformed. And the labels that fit no
        trace, and the traces that cannot be opened.

    Raises:
        InputError: there are fewer than two labellers, or the folder holds no traces.
    """
    said = by_answer(labels)
    names = list(dict.fromkeys(name for one in said.values() for name in one))
    if len(names) < 2:
        raise InputError("Agreement needs the labels of two at least. Give the file of the other.")
    problems: list[Problem] = []
    sums: dict[tuple[str, str, str], list[Sums]] = {}
    left_out = dict.fromkeys(combinations(names, 2), 0)
    seen: set[str] = set()
    for path in trace_files(folder):
        try:
            trace = open_scores(path)
        except TraceFileError as error:
            problems.append(Problem("trace cannot be opened", path.name, str(error)))
            continue
        identity = answer_id(trace)
        if identity in seen or identity not in said:
            continue
        seen.add(identity)
        for pair in left_out:
            compared, alone = _compared(trace, pair, said[identity], path.name, problems)
            left_out[pair] += alone
            for modality, one in compared:
                sums.setdefault((*pair, modality), []).append(one)
    rows = [_row(*key, found, left_out[key[:2]]) for key, found in sums.items()]
    return rows, list(dict.fromkeys(problems))


def _compared(
    trace: Trace,
    pair: tuple[str, str],
    said: Mapping[str, Mapping[int, Label]],
    file: str,
    problems: list[Problem],
) -> tuple[Iterator[tuple[str, Sums]], int]:
    """Modality → sums of one answer, and the sentences that cannot be compared."""
    units = cut(trace.prompt, trace.timeline, trace.media).units
    sentences = spans(trace.answer, trace.tokens)
    first, second = (
        {
            target.span: target
            for target in targets_of(
                trace, units, sentences, said.get(name, {}), f"{file}, {name}", problems
            )
            if not target.label.malformed
        }
        for name in pair
    )
    both = [span for span in first if span in second]
    alone = len({*said.get(pair[0], ()), *said.get(pair[1], ())}) - len(both)
    paired = (on_one_clock(first[span], second[span], units, trace) for span in both)
    return sums_of(paired), alone


def _row(first: str, second: str, modality: str, sums: Sequence[Sums], left_out: int) -> Row:
    values = np.array(sums)
    interval = ratio_interval(values[:, 2], values[:, 3])
    low, high = interval if interval else (None, None)
    scores = {"f1": values[:, 2].sum() / values[:, 3].sum(), "low": low, "high": high}
    return {
        "first": first,
        "second": second,
        "modality": modality,
        **{k: None if v is None else round(100 * float(v), 2) for k, v in scores.items()},
        "sentences": int(values[:, 3].sum()),
        "answers": len(sums),
        "left_out": left_out if modality == OVERALL else None,
    }
