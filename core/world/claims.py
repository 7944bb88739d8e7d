"""A report on the miniature world → whether the paper's claims hold there, in words with numbers.

Pure: a report's tables in, Markdown out. A claim holds, or fails, where the numbers say so with
p < 0.05 or beyond their 95 % interval; else it stays open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.evaluation.comparing import CURATED, OF
from core.evaluation.predictions import POST_HOC

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

LEVEL = 0.05
PAPER_SIGNALS = ("attmean", "rawatt", "attgrads_all", "attgrads_last")
_MODALITIES = ("all", "text", "image", "time")
_VERDICTS = {1: "holds", 0: "stays open", -1: "fails"}


def told(report: Mapping[str, Any]) -> str:
    """The three claims, table 2 in small and what hiding sources says, as Markdown."""
    tables = _whole(report["tables"])
    traces = report["traces"]
    lines = [
        f"{traces['scored']} held-out answers, {traces['sentences_labelled']} sentences whose "
        f"sources the generator knows ({traces['sentences_unlabelled']} others the model did not "
        "write as the truth has them). F1 in percent, with 95 % bootstrap intervals over answers.",
        "",
        *_table_2(tables),
        "",
        *_beats(tables),
        "",
        *_curation(tables),
        "",
        *_position(tables),
        "",
        *_hidden(tables),
    ]
    return "\n".join(lines) + "\n"


def _whole(tables: Tables) -> dict[str, list[Row]]:
    """Of each table the rows of its first task: all of them together."""
    found = {}
    for name, rows in tables.items():
        task = next((row["task"] for row in rows if "task" in row), None)
        found[name] = [row for row in rows if row.get("task") == task]
    return found


def _table_2(tables: Tables) -> Iterator[str]:
    yield "| method | curation | all | text | image | time |"
    yield "|---|---|---|---|---|---|"
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in tables["table2"]:
        shown = f"{row['f1']:.1f}"
        if row["modality"] == "all" and row["low"] is not None:
            shown += f" ({row['low']:.1f}–{row['high']:.1f})"
        cells.setdefault((row["signal"], row["curation"]), {})[row["modality"]] = shown
    for (signal, curation), scores in cells.items():
        scored = " | ".join(scores.get(modality, "–") for modality in _MODALITIES)
        yield f"| {signal} | {curation} | {scored} |"


def _beats(tables: Tables) -> Iterator[str]:
    yield "**Tracing beats post-hoc heuristics** (section 4.2)"
    overall = [row for row in tables["table2"] if row["modality"] == "all"]
    chance = max((r["f1"] for r in overall if r["curation"] == "random"), default=0.0)
    post_hoc = [row for row in overall if row["curation"] == POST_HOC]
    if not post_hoc:
        yield f"- Stays open: no baseline was evaluated. Chance reaches {chance:.1f}."
        return
    best = max(post_hoc, key=lambda row: row["f1"])
    traced = {r["signal"]: r["f1"] for r in overall if r["curation"] == "default"}
    verdicts = []
    for signal, f1 in traced.items():
        found = _difference(tables, signal, best["signal"])
        if found is None:
            continue
        difference, p = found
        verdict = _verdict(difference, p)
        verdicts += [verdict] if signal in PAPER_SIGNALS else []
        yield (
            f"- {signal}: {_VERDICTS[verdict]}; {f1:.1f} against {best['f1']:.1f} of "
            f"{best['signal']}, the best of {len(post_hoc)}; {difference:+.1f} an answer, "
            f"p = {_p(p)}."
        )
    share = sum(verdict > 0 for verdict in verdicts)
    yield (
        f"- So it holds for {share} of the paper's {len(verdicts)} signals here. "
        f"Chance reaches {chance:.1f}."
    )


def _curation(tables: Tables, signal: str = "attmean") -> Iterator[str]:
    yield f"**Curation matters** (table 3, {signal})"
    image = {
        row["curation"]: row["f1"]
        for row in tables["table3"]
        if row["signal"] == signal and row["modality"] == "image"
    }
    losses = []
    whole = f"{signal} · {CURATED}"
    for row in tables["comparisons"]:
        if row["first"] != whole:
            continue
        less = row["second"].removeprefix(f"{signal} · ")
        verdict = _verdict(row["difference"], row["p"])
        losses.append(verdict)
        said = {1: "costs", 0: "makes no sure difference:", -1: "gains"}[verdict]
        points = abs(row["difference"]) if verdict else row["difference"]
        pictures = f"; image F1 {image[CURATED]:.1f} → {image[less]:.1f}" if less in image else ""
        yield f"- {less}: {said} {points:.1f} points, p = {_p(row['p'])}{pictures}."
    if not losses:
        yield "- Stays open: nothing was compared."
        return
    worse, better = sum(v > 0 for v in losses), sum(v < 0 for v in losses)
    verdict = "holds in part" if worse else "fails" if better else "stays open"
    verdict = "holds" if worse == len(losses) else verdict
    yield (
        f"- As the paper says it, that every part helps, it {verdict}: of {len(losses)} parts "
        f"{worse} help, {better} harm, {len(losses) - worse - better} make no sure difference."
    )


def _position(tables: Tables) -> Iterator[str]:
    yield "**Citations lean to early positions** (figure 3a, summaries; even is 0.5)"
    rows = [row for row in tables["figure3a"] if row["kind"] == "summary" and row["citations"]]
    labels = next((row for row in rows if row["of"] == "labels"), None)
    if labels is None or len(rows) < 2:
        yield "- Stays open: no summary was labelled."
        return
    yield f"- The true sources stand at {_mean(labels)} on average."
    for row in rows:
        if row is not labels:
            yield (
                f"- {row['of']}: {_VERDICTS[_early(row, 0.5)]} against even, "
                f"{_VERDICTS[_early(row, labels['mean'])]} against the true sources; {_mean(row)}."
            )


def _hidden(tables: Tables) -> Iterator[str]:
    yield "**What a sentence loses without its first source** (nats of log-probability; no labels)"
    for row in tables.get("causal", ()):
        between = "" if row["low"] is None else f" ({row['low']:.2f}–{row['high']:.2f})"
        areas = ", ".join(
            f"{name} area {row[name]:.2f}"
            for name in ("deletion", "insertion")
            if row[name] is not None
        )
        yield f"- {row['signal']}: {row['top1']:.2f}{between}; {areas or 'no areas'}."


def _early(row: Row, than: float) -> int:
    if row["low"] is None:
        return 0
    return 1 if row["high"] < than else -1 if row["low"] > than else 0


def _difference(tables: Tables, first: str, second: str) -> tuple[float, float | None] | None:
    """First less second in F1, and p; ``None`` where they were not compared."""
    for row in tables["comparisons"]:
        if row["of"] == OF and {row["first"], row["second"]} == {first, second}:
            sign = 1 if row["first"] == first else -1
            return sign * row["difference"], row["p"]
    return None


def _verdict(difference: float, p: float | None) -> int:
    sure = p is not None and p < LEVEL
    return (1 if difference > 0 else -1) if sure and difference else 0


def _mean(row: Row) -> str:
    between = "" if row["low"] is None else f" ({row['low']:.2f}–{row['high']:.2f})"
    return f"{row['mean']:.2f}{between}"


def _p(p: float | None) -> str:
    return "–" if p is None else "0.0002" if p < 2e-4 else f"{p:.2g}"
