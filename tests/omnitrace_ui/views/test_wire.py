"""Strings and numbers that any JSON reader takes."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from omnitrace_ui.views.wire import clean, rounded, significant

characters = st.text(st.characters(codec=None))


@given(characters)
def test_clean_text_is_utf8_and_well_formed_text_is_untouched(text: str):
    cleaned = clean(text)
    cleaned.encode("utf-8")
    if not any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        assert cleaned == text


def test_lone_surrogates_become_the_replacement_character():
    assert clean("a\ud800b\udfffc") == "a\ufffdb\ufffdc"


@given(st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]))
def test_numbers_are_finite(number: float):
    for made in (rounded(number), significant(number)):
        json.dumps(made, allow_nan=False)
        assert math.isfinite(made)


def test_small_confidences_keep_three_digits():
    assert significant(0.00012345) == 0.000123
    assert significant(0.98765) == 0.988
