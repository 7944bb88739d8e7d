"""Bounds as options and in the environment."""

import argparse

import pytest

from core.errors import InputError
from omnitrace_ui.allowance import Allowance, add_options, read_allowance


def read(*options: str, **environment: str) -> Allowance:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return read_allowance(parser.parse_args(options), environment)


def test_nothing_said_is_the_defaults():
    assert read() == read(OMNITRACE_WAITING="") == Allowance()


def test_an_option_counts_more_than_the_environment():
    said = read("--waiting", "3", OMNITRACE_WAITING="7", OMNITRACE_TOTAL_SECONDS="60")
    assert (said.waiting, said.total_seconds) == (3, 60)
    assert said.limits.prompt_seconds == 60


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "1.5"])
def test_what_is_no_bound_is_refused_by_its_name(wrong):
    with pytest.raises(InputError, match="at_once"):
        read(OMNITRACE_AT_ONCE=wrong)


def test_memory_alone_may_be_unbounded():
    assert read("--memory-gigabytes", "0").memory_gigabytes == 0
