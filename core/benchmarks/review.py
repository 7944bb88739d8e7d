"""What an annotator's click costs: ``python -m core bench review [--json]``.

The size of appendix B.2: 200 answers of five sentences, four annotators, a fifth of the answers
checked by all. Everybody's sentences are judged first, so that clicks fall on a full store. Wall
time counts, for a click has reached the disk when it returns; processor time beside it tells what
of that is the program's own, whatever else the machine does.
"""

from __future__ import annotations

import json as json_module
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.evaluation.labels import Interval, Label
from core.review import Account, Item, Place, Verdict, commit, new_id, replace, select
from core.review.desk import Desk
from core.review.lead import LeadDesk
from core.review.manifest import Manifest
from core.review.queues import assign
from core.review.store import Asked, Store
from core.sources import SourceUnit

ANSWERS, SENTENCES, UNITS, SECONDS = 200, 5, 12, 30
NAMES = ("anna", "ben", "cleo", "dan")
TYPICAL_MS = 20.0
_CLICKS = 300


def run(*, json: bool) -> int:
    """Print milliseconds; return 1 if a typical click takes over 20."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _measured(Path(folder))
    if json:
        print(json_module.dumps({"limit_ms": TYPICAL_MS, "rows": rows}, indent=1))
    else:
        print(f"{ANSWERS} answers × {SENTENCES} sentences, {len(NAMES)} annotators, milliseconds")
        print(f"{'what':<28}{'median':>10}{'95 %':>10}{'processor':>12}")
        for row in rows:
            times = f"{row['median']:>10}{row['p95']:>10}{row['processor']:>12}"
            print(f"{row['what']:<28}{times}")
    return 0 if rows[0]["median"] <= TYPICAL_MS else 1


def _measured(folder: Path) -> list[dict[str, object]]:
    manifest = _manifest()
    store = Store(f"sqlite:///{folder / 'bench.sqlite3'}", manifest.id)
    _fill(manifest, store)
    name = NAMES[0]
    desk = Desk(Account(name, "annotator"), manifest.queues[name], manifest, store, folder)
    lead = LeadDesk(Account("lea", "lead"), manifest.queues, manifest, store, folder)
    place = Place(desk.queue[0], 0)
    versions = iter(range(desk.sentence(place).state.version, 10**6))
    clicks = iter(range(10**6))

    def click() -> None:
        change = select("p0.0", on=next(clicks) % 2 == 0)
        desk.write(place, change, version=next(versions), event_id=new_id())

    rows = [
        _row("a click, on the disk", click, _CLICKS),
        _row("one item", lambda: desk.item(place.item), 50),
        _row("progress", desk.progress, 10),
        _row("disputed sentences", lead.disputed, 3),
        _row("agreement", lead.agreement, 1),
    ]
    store.close()
    return rows


def _row(what: str, call: Callable[[], object], times: int) -> dict[str, object]:
    taken = []
    worked = time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(1e3 * (time.perf_counter() - start))
    worked = round(1e3 * (time.process_time() - worked) / times, 1)
    median, p95 = np.percentile(taken, (50, 95)).round(1).tolist()
    return {"what": what, "median": median, "p95": p95, "processor": worked}


def _manifest() -> Manifest:
    units = tuple(
        SourceUnit(f"p0.{n}", "text", 0, f"Text 1 · sentence {n + 1}", 9 * n, 9 * n + 8, "A fact.")
        for n in range(UNITS)
    )
    sound = (SourceUnit("p1.0", "audio", 1, "Audio 1", 0.0, 1.0),)
    items = {}
    for number in range(ANSWERS):
        name, task = f"{number:016x}", ("summary", "qa")[number % 2]
        sentences = tuple(f"Sentence {n}." for n in range(SENTENCES))
        items[name] = Item(name, name, "m", task, sentences, units + sound, (None, SECONDS))
    tasks = {item.id: item.task for item in items.values()}
    shared, queues = assign(tasks, NAMES, overlap=0.2, seed=1)
    labels = tuple(
        Label(item.id, n, text, *_sources(random.Random(f"{item.id}{n}")), "judge", "m")
        for item in items.values()
        for n, text in enumerate(item.sentences)
    )
    return Manifest(new_id(), 1, False, shared, queues, items, labels)


def _sources(rng: random.Random) -> tuple[tuple[str, ...], tuple[Interval, ...]]:
    start = rng.randrange(SECONDS - 5)
    return (f"p0.{rng.randrange(UNITS)}",), (Interval(1, start, start + rng.randint(1, 5)),)


def _fill(manifest: Manifest, store: Store) -> None:
    """Everybody's verdict on every sentence: mostly the judge's, sometimes another."""
    asked = []
    for name, queue in manifest.queues.items():
        for place in (Place(item, n) for item in queue for n in range(SENTENCES)):
            agrees = random.Random(f"{name}{place}").random() < 0.8
            rng = random.Random(f"{place.item}{place.sentence}" if agrees else f"{name}{place}")
            payload = replace(Verdict(*_sources(rng))).payload
            asked.append(Asked(name, name, place, "replace", lambda _, kept=payload: kept))
            asked.append(Asked(name, name, place, "commit", lambda _: commit().payload))
    store.extend(asked)
