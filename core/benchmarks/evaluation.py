"""What evaluating traces costs: ``python -m core bench evaluate [--json] [--traces N] [--jobs 2]``.

Seeded traces of the paper's sizes, 200 tokens and 300 source units each: conversations with
pictures, recordings of 300 s, films of 150 s with sound; two signals, every sentence labelled.

- Processor seconds a trace of each kind, measured in one process that has started.
- Seconds and peak memory of whole evaluations in fresh processes, of N traces a kind and of three
  times as many: whether memory grows with the number of traces.
- Processor seconds of the report on 759 results, intervals and tests included.
- The time of the paper's 759, in its proportions: the larger evaluation, the rest at what a trace
  costs shared by the processes, and the report. The standing limit is 60 s.
"""

from __future__ import annotations

import json as json_module
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from core.benchmarks.rows import Row, timeline_of
from core.evaluation.evaluate import evaluate
from core.evaluation.labels import Interval, Label, answer_id
from core.evaluation.report import Evaluated, report
from core.evaluation.scoring import Result
from core.prompt import AudioPart, ImagePart, Part, Prompt, TextPart, VideoPart
from core.trace import MediaInfo, ModelInfo, Token, Trace

PAPER = {"conversation": 457, "recording": 200, "film": 102}
"""Table 1: examples with pictures and text, with audio, with video."""
TOKENS, UNITS, LIMIT_S = 200, 300, 60.0
LARGER = 3
WARM = 10**6
"""A seed that no measured trace has: what was parsed once would be found again."""
SIGNALS = ("attmean", "rawatt")
_PICTURES, _PICTURE_POSITIONS, _SOUND_RATE, _FRAME_RATE = 3, 64, 25, 60
"""Pictures of a conversation; positions of a picture, of a second of sound and of frames."""
_WHO = ("Anna", "The old baker", "My sister", "Nobody", "A tall guide", "Their neighbour", "Tom")
_DOES = ("sold", "never liked", "was looking for", "has painted", "carefully repaired", "found")
_WHAT = ("two red maps", "the boat", "a very small lamp", "seven leaves", "their blue kettle")
_WHERE = ("near the harbour", "on Wednesday morning", "because it rained", "at half past eight")


class Whole(NamedTuple):
    """One evaluation in a fresh process: seconds; peak bytes of it and of a worker of it."""

    seconds: float
    peak: int
    worker_peak: int


def run(*, json: bool, traces: int = 4, jobs: int = 2) -> int:
    """Print time and memory; return 1 if 759 traces would take more than 60 s."""
    with tempfile.TemporaryDirectory() as folder:
        few = _write(Path(folder) / "few", range(traces))
        many = _write(Path(folder) / "many", range(LARGER * traces))
        costs, reporting = _processor_seconds(*few)
        wholes = [_whole(*some, jobs) for some in (few, many)]
    left = sum((PAPER[kind] - LARGER * traces) * cost for kind, cost in costs.items())
    expected = wholes[-1].seconds + max(0.0, left) / jobs + reporting
    found = {
        "tokens": TOKENS,
        "units": UNITS,
        "jobs": jobs,
        "trace_cpu_s": {kind: round(cost, 3) for kind, cost in costs.items()},
        "report_cpu_s": round(reporting, 1),
        "whole": [
            {
                "traces": count * len(PAPER),
                "seconds": round(whole.seconds, 1),
                "peak_mb": round(whole.peak / 1e6),
                "worker_peak_mb": round(whole.worker_peak / 1e6),
            }
            for count, whole in zip((traces, LARGER * traces), wholes, strict=True)
        ],
        "traces": sum(PAPER.values()),
        "expected_s": round(expected, 1),
        "limit_s": LIMIT_S,
    }
    print(json_module.dumps(found, indent=1) if json else _printed(found))
    return 0 if expected <= LIMIT_S else 1


def built(kind: str, seed: int) -> tuple[Trace, list[Label]]:
    """A trace of this kind and labels for all its sentences; no two seeds share a sentence."""
    draw = random.Random(f"{kind} {seed}")
    parts, media, rows = _BUILDERS[kind](draw)
    answer, tokens, sentences = _answer(draw)
    # Attention is peaked: most of a row on few positions.
    numbers = np.random.default_rng(seed)
    scores = {
        signal: (numbers.random((TOKENS, len(rows)), np.float32) ** 40).astype(np.float16)
        for signal in SIGNALS
    }
    trace = Trace(
        prompt=Prompt(f"Say what is there. {seed}", tuple(parts)),
        timeline=timeline_of(rows),
        answer=answer,
        tokens=tokens,
        scores=scores,
        own={signal: np.full(TOKENS, 0.1, np.float32) for signal in SIGNALS},
        media=tuple(media),
        model=ModelInfo("bench", "none", 0, "float32", "cpu"),
    )
    labels = [
        Label(answer_id(trace), n, text, *_named(kind, draw), "generator", "bench")
        for n, text in enumerate(sentences)
    ]
    return trace, labels


def _write(folder: Path, seeds: Sequence[int]) -> tuple[Path, list[Label]]:
    """A trace of every kind for each seed, and labels for all."""
    folder.mkdir()
    labels: list[Label] = []
    for kind in PAPER:
        for seed in seeds:
            trace, some = built(kind, seed)
            trace.save(folder / f"{kind}-{seed:05d}.omnitrace")
            labels += some
    return folder, labels


def _processor_seconds(folder: Path, labels: Sequence[Label]) -> tuple[dict[str, float], float]:
    """Of a trace of each kind, and of the report on ``PAPER``'s numbers of them, in one thread.

    What the first trace of all loads is not counted.
    """
    warm = _write(folder.with_name("warm"), range(WARM, WARM + 1))
    costs: dict[str, float] = {}
    results: list[Result] = []
    with threadpool_limits(1):
        evaluate(*warm, jobs=1)
        for kind in PAPER:
            alone = folder.with_name(kind)
            alone.mkdir()
            files = list(folder.glob(f"{kind}-*"))
            for file in files:
                (alone / file.name).hardlink_to(file)
            start = time.process_time()
            some = evaluate(alone, labels, jobs=1).results
            costs[kind] = (time.process_time() - start) / len(files)
            results += [some[n % len(some)] for n in range(PAPER[kind])]
        start = time.process_time()
        report(Evaluated(tuple(results), (), {}))
        return costs, time.process_time() - start


def _whole(folder: Path, labels: Sequence[Label], jobs: int) -> Whole:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_evaluated, folder, labels, jobs).result()


def _evaluated(folder: Path, labels: Sequence[Label], jobs: int) -> Whole:
    start = time.perf_counter()
    found = evaluate(folder, labels, jobs=jobs)
    seconds = time.perf_counter() - start
    if found.problems:
        raise RuntimeError(f"the bench's traces are not as they should be: {found.problems[0]}")
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return Whole(seconds, *(resource.getrusage(who).ru_maxrss * 1024 for who in whose))


Built = tuple[list[Part], list[MediaInfo], list[Row]]


def _conversation(draw: random.Random) -> Built:
    """Turns of three sentences a line, and pictures among them."""
    sentences = [_sentence(draw) for _ in range(UNITS - _PICTURES)]
    turns = [" ".join(sentences[at : at + 3]) for at in range(0, len(sentences), 3)]
    text = "\n".join(turns)
    pictures = [ImagePart(Path(f"{n}.png"), f"{n}.png") for n in range(_PICTURES)]
    rows: list[Row] = [(0, "text", extent) for extent in _words(text)]
    rows += [(1 + n, "image", None) for n in range(_PICTURES) for _ in range(_PICTURE_POSITIONS)]
    return [TextPart(text), *pictures], [MediaInfo()] * (1 + _PICTURES), rows


def _recording(draw: random.Random) -> Built:
    seconds = UNITS
    rows = list(_seconds("audio", 0, seconds, _SOUND_RATE))
    return [AudioPart(Path("a.wav"), "a.wav")], [MediaInfo(duration=seconds)], rows


def _film(draw: random.Random) -> Built:
    seconds = UNITS // 2
    rows = list(_seconds("video_frames", 0, seconds, _FRAME_RATE))
    rows += _seconds("video_sound", 0, seconds, _SOUND_RATE)
    return [VideoPart(Path("f.mp4"), "f.mp4")], [MediaInfo(duration=seconds)], rows


_BUILDERS = {"conversation": _conversation, "recording": _recording, "film": _film}


def _seconds(lane: str, part: int, seconds: int, rate: int) -> Iterator[Row]:
    for n in range(seconds * rate):
        yield part, lane, (n / rate, (n + 1) / rate)


def _sentence(draw: random.Random) -> str:
    said = " ".join(draw.choice(words) for words in (_WHO, _DOES, _WHAT, _WHERE))
    return f"{said}, number {draw.randrange(10**6)}{draw.choice('..!?')}"


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Ranges of words, each with the space before it, as tokens have them."""
    at = 0
    for word in text.replace("\n", " ").split(" "):
        end = at + len(word)
        yield max(0, at - 1), end
        at = end + 1


def _answer(draw: random.Random) -> tuple[str, tuple[Token, ...], list[str]]:
    """Sentences on lines of their own, cut off at ``TOKENS`` words."""
    words: list[str] = []
    while len(words) < TOKENS:
        words += _sentence(draw).split(" ")
        words[-1] += "\n"
    text = " ".join(words[:TOKENS]).replace("\n ", "\n").rstrip()
    tokens = tuple(Token(n, text[a:b], a, b) for n, (a, b) in enumerate(_words(text)))
    return text, tokens, text.split("\n")


def _named(kind: str, draw: random.Random) -> tuple[tuple[str, ...], tuple[Interval, ...]]:
    if kind == "conversation":
        return (f"p0.{draw.randrange(UNITS - _PICTURES)}", "p1.0"), ()
    at = draw.randrange(UNITS // 2 - 2)
    return (), (Interval(0, at, at + 2.5),)


def _printed(found: Mapping[str, Any]) -> str:
    lines = [f"traces of {found['tokens']} tokens × {found['units']} units"]
    lines += [f"  {kind:<14}{s:>7.3f} processor s" for kind, s in found["trace_cpu_s"].items()]
    for whole in found["whole"]:
        lines.append(
            f"{whole['traces']:>4} traces, {found['jobs']} processes: {whole['seconds']:>6.1f} s; "
            f"peak {whole['peak_mb']} MB, {whole['worker_peak_mb']} MB a worker"
        )
    lines.append(f"  the report    {found['report_cpu_s']:>7.1f} processor s")
    expected = f"{found['expected_s']} s, limit {found['limit_s']:g} s"
    return "\n".join([*lines, f"{found['traces']:>4} traces: {expected}"])
