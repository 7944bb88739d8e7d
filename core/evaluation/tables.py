"""Many results → the paper's tables and the data of its figures, as plain JSON values.

Rows are per model and task, and once over all tasks. Scores are means over sentences, in percent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np

from core.evaluation.comparing import TABLE_3, overall
from core.evaluation.grouping import Row, grouped, groups, interval_row, percent
from core.evaluation.metrics import MODALITIES
from core.evaluation.overlap import OVERALL, Sums
from core.evaluation.predictions import POST_HOC
from core.evaluation.scoring import RANDOM, STREAMS, Method, Result
from core.evaluation.segmented import SEGMENTS
from core.evaluation.statistics import ratio_interval
from core.evaluation.studies import (
    GRID,
    calibration,
    calibration_error,
    correlation,
    ecdf,
)

TABLE_2 = ("default", "paper", RANDOM)
FIGURE_2B = ("paper", *STREAMS.values())
STAGES = ("reading", "encoding", "decoding")
"""Of a run, as its timings name them: media decoded, prompt read by the model, answer written."""


def table_2(results: Sequence[Result]) -> list[Row]:
    """F1 of signals under the default and the published curation, of chance, of predictions."""
    return _table(results, TABLE_2, intervals=True, predicted=True)


def table_3(results: Sequence[Result]) -> list[Row]:
    """The published curation less one part each: precision, recall and F1."""
    return _table(results, TABLE_3, intervals=False)


def figure_2b(results: Sequence[Result]) -> list[Row]:
    """Films by the published curation, and by one of its streams alone: Time-F1."""
    streams = set(STREAMS.values())
    films = [r for r in results if any(method.curation in streams for method, _ in r.scores)]
    return [row for row in _table(films, FIGURE_2B, intervals=True) if row["modality"] == "time"]


def figure_2a(results: Sequence[Result]) -> list[Row]:
    """Sound by every segmenter that the traces hold transcripts of, and by bins: Time-F1."""
    held = [r for r in results if any(m.curation.startswith(SEGMENTS) for m, _ in r.scores)]
    names = dict.fromkeys(m.curation for r in held for m, _ in r.scores)
    cuts = [name for name in names if name.startswith(SEGMENTS)]
    return [
        {"segments": row.pop("curation").removeprefix(SEGMENTS), **row}
        for row in _table(held, cuts, intervals=True)
        if row["modality"] == "time"
    ]


def positions(results: Sequence[Result]) -> list[Row]:
    """Figure 3a, of summaries and choices apart: mean and ECDF of cited and labelled positions."""
    rows: list[Row] = []
    for model, kind, held in groups(results, _kind):
        for signal in _signals(held):
            cited = [r.studied[signal].cited_at for r in held if signal in r.studied]
            rows.append({"model": model, "kind": kind, "of": signal, **_position(cited)})
        labelled = [r.labelled_at for r in held]
        rows.append({"model": model, "kind": kind, "of": "labels", **_position(labelled)})
    return rows


def calibrations(results: Sequence[Result]) -> list[Row]:
    """Figure 3b: labelled by predicted image mass, of prompts with text and pictures."""
    rows: list[Row] = []
    for model, held in grouped(results, lambda r: r.model):
        for signal in _signals(held):
            pairs = [p for r in held if signal in r.studied for p in r.studied[signal].image_mass]
            rows.append(
                {
                    "model": model,
                    "signal": signal,
                    "sentences": len(pairs),
                    "error": percent(calibration_error(pairs)),
                    "bins": [one._asdict() for one in calibration(pairs)],
                }
            )
    return rows


def quality(results: Sequence[Result]) -> list[Row]:
    """Figure 4: F1 of right and of wrong answers; ROUGE-L against F1 for summaries."""
    rows: list[Row] = []
    for model, task, held in groups(results):
        for signal in _signals(held):
            scored = [(r, s.f1 / s.sentences) for r in held if (s := overall(r, signal))]
            right, wrong = ([f1 for r, f1 in scored if r.right is is_] for is_ in (True, False))
            summaries = [(r.rouge, f1) for r, f1 in scored if r.rouge is not None]
            together = correlation(*zip(*summaries, strict=True)) if summaries else None
            rows.append(
                {
                    "model": model,
                    "task": task,
                    "signal": signal,
                    **_of_answers("right", right),
                    **_of_answers("wrong", wrong),
                    "rouge_l": percent(fmean(r for r, _ in summaries) if summaries else None),
                    "summaries": len(summaries),
                    "pearson": together.pearson if together else None,
                    "pearson_p": together.pearson_p if together else None,
                    "spearman": together.spearman if together else None,
                    "spearman_p": together.spearman_p if together else None,
                    "points": [[percent(rouge), percent(f1)] for rouge, f1 in summaries],
                }
            )
    return rows


def costs(results: Sequence[Result]) -> list[Row]:
    """What recording took: means over answers, by the signals that were recorded together.

    ``decoding_ms``: of a token, all signals. ``recorded_mb``: what one signal adds to memory and,
    unpacked, to the trace. Stages that a trace does not tell of are left out of their mean.
    """
    rows: list[Row] = []
    for model, task, held in groups(results):
        for signals, some in grouped(held, lambda r: ", ".join(r.studied)):
            seconds = {stage: _mean(r.timings.get(stage) for r in some) for stage in STAGES}
            tokens = [r.timings["decoding"] / r.tokens for r in some if _decoded(r)]
            rows.append(
                {
                    "model": model,
                    "task": task,
                    "signals": signals,
                    "answers": len(some),
                    "tokens": _mean(r.tokens for r in some),
                    **{f"{stage}_s": mean for stage, mean in seconds.items()},
                    "decoding_ms": None if not tokens else round(1e3 * fmean(tokens), 2),
                    "total_s": _mean(sum(r.timings.values()) for r in some if r.timings),
                    "recorded_mb": _mean(r.recorded / 1e6 for r in some),
                }
            )
    return rows


def options(results: Sequence[Result]) -> list[Row]:
    """Appendix B.3: top-1 consistency, and how many answers could not be compared."""
    rows: list[Row] = []
    for model, task, held in groups([r for r in results if r.is_choice]):
        for signal in _signals(held):
            studied = [r for r in held if signal in r.studied]
            traced = [(r.chosen_option, r.studied[signal].traced_option) for r in studied]
            compared = [chosen == found for chosen, found in traced if found is not None]
            rows.append(
                {
                    "model": model,
                    "task": task,
                    "signal": signal,
                    "consistent": percent(fmean(compared) if compared else None),
                    "compared": len(compared),
                    "not_compared": len(traced) - len(compared),
                }
            )
    return rows


def _table(
    results: Sequence[Result], curations: Sequence[str], *, intervals: bool, predicted: bool = False
) -> list[Row]:
    rows: list[Row] = []
    for model, task, held in groups(results):
        methods = [Method(signal, curation) for signal in _signals(held) for curation in curations]
        if predicted:
            methods += dict.fromkeys(m for r in held for m, _ in r.scores if m.curation == POST_HOC)
        for method in methods:
            for modality in (OVERALL, *MODALITIES):
                sums = [r.scores[method, modality] for r in held if (method, modality) in r.scores]
                if sums:
                    named = {"model": model, "task": task, **method._asdict()}
                    rows.append(named | {"modality": modality} | _cell(sums, intervals))
    return rows


def _cell(sums: Sequence[Sums], intervals: bool) -> Row:
    values = np.array(sums)
    count = values[:, 3].sum()
    precision, recall, f1 = (values[:, :3].sum(axis=0) / count).tolist()
    row: Row = {"precision": percent(precision), "recall": percent(recall), "f1": percent(f1)}
    if intervals:
        row |= interval_row(ratio_interval(values[:, 2], values[:, 3]))
    # A tenth of a sentence: one that some of the random draws cite, and some do not.
    sentences = round(float(count), 1)
    whole = int(sentences) if sentences.is_integer() else sentences
    return row | {"sentences": whole, "answers": len(sums)}


def _kind(result: Result) -> str:
    return "choice" if result.is_choice else "summary"


def _signals(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(signal for r in results for signal in r.studied))


def _of_answers(which: str, f1: Sequence[float]) -> Row:
    """Mean F1 over right or wrong answers, its interval, and how many."""
    interval = ratio_interval(np.array(f1), np.ones(len(f1))) if f1 else None
    row = {"f1": percent(fmean(f1) if f1 else None), **interval_row(interval)}
    return {**{f"{which}_{key}": value for key, value in row.items()}, which: len(f1)}


def _decoded(result: Result) -> bool:
    return bool(result.tokens) and "decoding" in result.timings


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 4) if known else None


def _position(answers: Sequence[Sequence[float]]) -> Row:
    """Of positions, an answer each: their mean, its interval over answers, and their ECDF."""
    held = [positions for positions in answers if positions]
    if not held:
        return {"citations": 0, "mean": None, "low": None, "high": None, "ecdf": []}
    sums, counts = np.array([sum(one) for one in held]), np.array([len(one) for one in held])
    low, high = ratio_interval(sums, counts) or (None, None)
    shares = ecdf([at for positions in held for at in positions])
    curve = zip(GRID.tolist(), shares.tolist(), strict=True)
    return {
        "citations": int(counts.sum()),
        "mean": round(float(sums.sum() / counts.sum()), 4),
        "low": None if low is None else round(low, 4),
        "high": None if high is None else round(high, 4),
        "ecdf": [[round(x, 2), round(share, 4)] for x, share in curve],
    }
