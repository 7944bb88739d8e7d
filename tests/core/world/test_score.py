"""Scores against numbers worked by hand."""

import numpy as np
import pytest

from core.explain import Cited, Explanation, Meter, SpanExplanation
from core.sources import Sources, SourceUnit
from core.world.bench import summary
from core.world.score import score

UNITS = (
    SourceUnit("p0.0", "text", 0, "Text 1 · sentence 1", 0, 10, "Tom slept."),
    SourceUnit("p0.1", "text", 0, "Text 1 · sentence 2", 11, 20, "Anna ran."),
    SourceUnit("p1.0", "image", 1, "Image 1"),
    SourceUnit("p2.0", "image", 2, "Image 2"),
    SourceUnit("p3.0", "audio", 3, "Audio 1 · 0.0–1.0 s", 0.0, 1.0),
    SourceUnit("p3.1", "audio", 3, "Audio 1 · 1.0–2.0 s", 1.0, 2.0),
    SourceUnit("p3.2", "audio", 3, "Audio 1 · 2.0–2.5 s", 2.0, 2.5),
)


def explanation(*spans: tuple[str, tuple[int, ...]]) -> Explanation:
    """An answer whose sentences cite the units of these indices."""
    sources = Sources(UNITS, np.zeros(0, np.int32), np.zeros(len(UNITS), np.int8))
    made = []
    for index, (text, cited) in enumerate(spans):
        units = tuple(Cited(unit, UNITS[unit], 0.5, 0.5, 0.5) for unit in cited)
        meter = Meter({}, 0.0, 0.0, 1.0)
        made.append(SpanExplanation(index, text, 0, 0, 0, 0, units, (), meter, False))
    return Explanation("attmean", sources, tuple(made))


def truth(text: str, *sources: tuple) -> dict:
    keys = ("part", "lane", "start", "end")
    return {"text": text, "sources": [dict(zip(keys, source, strict=True)) for source in sources]}


TOM = ("Tom slept.", (0, "text", 0, 10))
PICTURES = ("Two dogs.", (1, "image", None, None), (2, "image", None, None))
SPEECH = ("He says so.", (3, "audio", 0.4, 1.8))


@pytest.mark.parametrize(
    ("true", "cited", "expected"),
    [
        (TOM, (0,), 1.0),
        (TOM, (1,), 0.0),
        (TOM, (0, 1), 2 / 3),
        (TOM, (0, 2), 2 / 3),
        (TOM, (), 0.0),
        (PICTURES, (2, 3), 1.0),
        (PICTURES, (2,), 2 / 3),
        # 0.4–1.8 s touches the bins 0 and 1.
        (SPEECH, (4, 5), 1.0),
        (SPEECH, (4, 5, 6), 4 / 5),
        (SPEECH, (6,), 0.0),
        # A cited picture is one wrong element beside two right bins.
        (SPEECH, (4, 5, 2), 4 / 5),
    ],
)
def test_f1_of_a_sentence(true, cited, expected):
    (scored,) = score([truth(*true)], explanation((true[0], cited)))
    assert scored.right
    assert scored.f1 == pytest.approx(expected)


def test_a_wrong_or_missing_sentence_is_counted_and_not_scored():
    wanted = [truth(*TOM), truth(*PICTURES)]
    wrong, missing = score(wanted, explanation(("Tom ran.", (0,))))
    assert (wrong.right, wrong.f1) == (missing.right, missing.f1) == (False, None)


def test_the_table_is_in_percent_and_says_what_is_not_known():
    choice = truth("The answer is B.", (0, "text", 11, 20))
    results = [
        *score([truth(*TOM)], explanation(("Tom slept.", (0,)))),
        *score([truth(*TOM)], explanation(("Tom.", (0,)))),
        *score([choice], explanation(("The answer is B.", (1, 0)))),
    ]
    table = summary(results)
    assert table["sentences"] == {"text": 50.0, "speech": None, "picture": None, "film": None}
    assert table["choice"] == 100.0
    assert table["f1"] == {"text": pytest.approx(83.3), "image": None, "time": None}
