"""Review records → JSON for the browser: pure functions, no gradio. The contract of ReviewView.

Every string is untrusted and stays a string: the browser puts it into the page by ``textContent``
only. What the browser asks for (``omnitrace_ui.review_routes``) is answered with::

    me       = {"name", "role": "annotator"|"lead", "project", "title": str, "blind": bool,
                "queue": [item id, …], "progress": progress | null, "resume": place | null}
    progress = {"name", "done", "total", "items_done", "items",
                "seconds_each": number | null, "seconds_left": number | null}
    place    = {"item": id, "sentence": int}
    item     = {"id", "number": int, "title", "instruction": str, "hidden": bool,
                "parts": [part, …], "units": units,          # as in ``omnitrace_ui.views``,
                                                             # a file being {"url"} or null
                "said": {part: [[row, start, end, speaker | null, str], …]},   # for where a file
                                                             # cannot be shown
                "sentences": [sentence, …]}
    sentence = {"text", "verdict": verdict, "done": bool, "version": int, "undoable": int,
                "judge": verdict | null, "judge_name": str, "hidden": bool,
                "opinions": [{"name", "verdict", "done"}, …] | absent}      # of a lead alone
    verdict  = {"units": [unit id, …], "intervals": [[part, start, end, lane | null], …],
                "unsure", "unsupported", "bad", "accepted": bool, "note": str}
    answer   = {"id", "item", "sentence", "view": sentence | null, "problem": str}

``answer`` is to one event, ``{"id", "item", "sentence", "version", "kind", "payload"}``: without a
``problem`` it is on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.review import Item, ItemView, LeadView, Place, Progress, SentenceView, Verdict
from core.review.agreement import Agreement, Disputed, Score
from omnitrace_ui.views.wire import JSON, clean, rounded


def verdict_value(verdict: Verdict) -> JSON:
    """What somebody says of a sentence."""
    return {
        "units": list(verdict.units),
        "intervals": [[i.part, i.start, i.end, i.lane] for i in verdict.intervals],
        "unsure": verdict.unsure,
        "unsupported": verdict.unsupported,
        "bad": verdict.bad,
        "accepted": verdict.accepted,
        "note": clean(verdict.note),
    }


def sentence_value(view: SentenceView) -> JSON:
    """A sentence as its owner is served it."""
    state = view.state
    value = {
        "text": clean(view.text),
        "verdict": verdict_value(state.verdict),
        "done": state.done,
        "version": state.version,
        "undoable": state.undoable,
        "judge": None if view.judge is None else verdict_value(view.judge),
        "judge_name": clean(view.judge_name),
        "hidden": view.hidden,
    }
    if isinstance(view, LeadView):
        value["opinions"] = [
            {
                "name": clean(name),
                "verdict": verdict_value(said.committed or said.verdict),
                "done": said.committed is not None,
            }
            for name, said in view.opinions.items()
        ]
    return value


def item_value(view: ItemView, shown: JSON) -> JSON:
    """An item of somebody's queue.

    Args:
        view: what the desk serves.
        shown: ``{"instruction", "parts", "units", "said"}`` of its trace.
    """
    return _item(view.item, view.sentences, shown, number=view.number, hidden=view.hidden)


def lead_item_value(item: Item, sentences: Sequence[LeadView], shown: JSON) -> JSON:
    """An item as a lead sees it; ``shown`` as of ``item_value``."""
    return _item(item, sentences, shown, number=0, hidden=False)


def _item(
    item: Item, sentences: Sequence[SentenceView], shown: JSON, *, number: int, hidden: bool
) -> JSON:
    return {
        **shown,
        "id": item.id,
        "number": number,
        "title": clean(item.title or item.task),
        "hidden": hidden,
        "sentences": [sentence_value(sentence) for sentence in sentences],
    }


def place_value(place: Place | None) -> JSON | None:
    """A sentence's place."""
    return None if place is None else {"item": place.item, "sentence": place.sentence}


def progress_value(progress: Progress) -> JSON:
    """How far somebody is."""
    value: dict[str, Any] = asdict(progress)
    del value["resume"]
    value["name"] = clean(progress.name)
    for key in ("seconds_each", "seconds_left"):
        seconds = getattr(progress, key)
        value[key] = None if seconds is None else rounded(seconds, 1)
    return value


def disputed_value(disputed: Sequence[Disputed]) -> list[JSON]:
    """The disputed sentences, in their order."""
    return [
        {
            "place": place_value(one.place),
            "text": clean(one.text),
            "agreement": rounded(one.agreement),
            "people": [clean(name) for name in one.people],
            "unsure": [clean(name) for name in one.unsure],
            "bad": [clean(name) for name in one.bad],
            "settled": one.settled,
        }
        for one in disputed
    ]


def agreement_value(agreement: Agreement) -> JSON:
    """Table 4, and κ and α.

    ``{"cells": [{"task", "annotator", "modality", "f1": score}, …],
    "reliability": [{"task", "annotator", "kappa": score | null, "alpha": score | null}, …]}`` with
    ``score = {"value", "interval": [low, high] | null, "samples", "sentences"}``, a share 0..1.
    """
    return {
        "cells": [
            {
                "task": clean(cell.task),
                "annotator": clean(cell.annotator),
                "modality": cell.modality,
                "f1": _score(cell.f1),
            }
            for cell in agreement.table_4
        ],
        "reliability": [
            {
                "task": clean(row.task),
                "annotator": clean(row.annotator),
                "kappa": _score(row.kappa),
                "alpha": _score(row.alpha),
            }
            for row in agreement.reliability
        ],
    }


def _score(score: Score | None) -> JSON | None:
    if score is None:
        return None
    interval = score.interval
    return {
        "value": rounded(score.value),
        "interval": None if interval is None else [rounded(edge) for edge in interval],
        "samples": score.samples,
        "sentences": score.sentences,
    }
