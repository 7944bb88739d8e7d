"""Prompts of a wanted length are of that length, or a sentence less."""

import pytest

from core.benchmarks.prompts import prompt_of
from core.media import Limits
from tests.core.tiny import tiny_model


@pytest.mark.parametrize("positions", [256, 2_048])
def test_a_prompt_takes_what_was_wanted(positions: int):
    model = tiny_model()
    taken = len(model.prepare(prompt_of(model, positions), limits=Limits()).timeline)
    assert positions - 40 < taken <= positions
