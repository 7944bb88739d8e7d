"""What moving a curation slider costs: ``python -m core bench curation [--json]``.

An answer of 512 tokens in 32 sentences over 1,000 units of all lanes. Measured are the curation
alone and the whole explanation of a prepared trace: processor time (one thread works), the best of
many runs, since what others do on the machine meanwhile only adds. The standing limit is 5 ms.
"""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.benchmarks.rows import Row, timeline_of
from core.curation import ASSIGNMENTS, DEFAULT_CURATION, LANE_POLICIES, curate
from core.explain import Prepared, explain_prepared, prepare
from core.prompt import AudioPart, ImagePart, Prompt, TextPart, VideoPart
from core.timeline import LANES
from core.trace import MediaInfo, ModelInfo, Token, Trace

TOKENS, UNITS = 512, 1_000
LIMIT_MS = 5.0
_WORDS = ("The", "red", "dog", "runs", "over", "it", "and", "two", "cats", "sit", "near", ".\n")
_REPEATS = 30


def run(*, json: bool) -> int:
    """Print milliseconds for every lane policy and assignment; return 1 if one is over 5."""
    prepared = _prepared()
    rows = []
    for lanes in LANE_POLICIES:
        for assignment in ASSIGNMENTS:
            settings = replace(DEFAULT_CURATION, lanes=lanes, assignment=assignment)
            evidence = prepared.mass if assignment == "mass" else prepared.peak
            ranges = [(span.first, span.last) for span in prepared.spans]
            args = (evidence, prepared.sources.lane_of, prepared.pos, ranges, settings)
            curated = _milliseconds(lambda args=args: curate(*args))
            whole = _milliseconds(lambda settings=settings: explain_prepared(prepared, settings))
            rows.append({"lanes": lanes, "assignment": assignment, "curate": curated, "all": whole})
    slowest = max(row["all"] for row in rows)
    if json:
        report = {"tokens": TOKENS, "units": len(prepared.sources.units), "limit_ms": LIMIT_MS}
        print(json_module.dumps({**report, "rows": rows, "slowest_ms": slowest}, indent=1))
    else:
        print(f"{TOKENS} tokens × {len(prepared.sources.units)} units, milliseconds")
        print(f"{'lanes':<12}{'assignment':<12}{'curation':>10}{'explanation':>13}")
        for row in rows:
            print(f"{row['lanes']:<12}{row['assignment']:<12}{row['curate']:>10}{row['all']:>13}")
        print(f"slowest {slowest} ms, limit {LIMIT_MS} ms")
    return 0 if slowest <= LIMIT_MS else 1


def _milliseconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(_REPEATS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return round(min(times) * 1e3, 2)


def _prepared() -> Prepared:
    """A seeded trace: 400 sentences, 100 pictures, 200 s of sound, a film of 150 s with sound."""
    texts, pictures, sound, film = 400, 100, 200, 150
    parts = [TextPart("\n".join(f"Fact {n}" for n in range(texts)))]
    parts += [ImagePart(Path(f"{n}.png"), f"{n}.png") for n in range(pictures)]
    parts += [AudioPart(Path("a.wav"), "a.wav"), VideoPart(Path("f.mp4"), "f.mp4")]
    rows: list[Row] = []
    at = 0
    for line in parts[0].text.split("\n"):
        rows += [(0, "text", (at, at + 4)), (0, "text", (at + 4, at + len(line)))]
        at += len(line) + 1
    rows += [(1 + n, "image", None) for n in range(pictures) for _ in range(9)]
    rows += [(1 + pictures, "audio", (s, s + 1)) for s in range(sound) for _ in range(5)]
    for second in range(film):
        rows += [(2 + pictures, lane, (second, second + 1)) for lane in LANES[3:] for _ in range(5)]
    media = [MediaInfo()] * (len(parts) - 2) + [MediaInfo(duration=sound), MediaInfo(duration=film)]
    answer, tokens = _answer()
    # Attention is peaked: most of a row on few positions.
    scores = np.random.default_rng(0).random((TOKENS, len(rows))) ** 40
    trace = Trace(
        prompt=Prompt("Say what is there.", tuple(parts)),
        timeline=timeline_of(rows),
        answer=answer,
        tokens=tokens,
        scores={"attmean": scores.astype(np.float16)},
        own={"attmean": np.zeros(TOKENS, np.float32)},
        media=tuple(media),
        model=ModelInfo("bench", "none", 0, "float32", "cpu"),
    )
    prepared = prepare(trace, signal="attmean")
    assert len(prepared.sources.units) == UNITS
    return prepared


def _answer() -> tuple[str, tuple[Token, ...]]:
    tokens: list[Token] = []
    at = 0
    for index in range(TOKENS):
        text = _WORDS[index % len(_WORDS)] + " "
        tokens.append(Token(index, text, at, at + len(text)))
        at += len(text)
    return "".join(token.text for token in tokens), tuple(tokens)
