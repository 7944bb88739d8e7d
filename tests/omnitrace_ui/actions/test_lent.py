"""A GPU lent for a while (ZeroGPU): what is asked crosses into another process, and back."""

import inspect
import pickle
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from omnitrace_ui.actions.check import Checker
from omnitrace_ui.session import Visitor


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package of such a Space: it goes by whether a function is a generator, and pickles."""

    def gpu(duration: int) -> Callable[[Callable], Callable]:
        def lend(task: Callable) -> Callable:
            assert duration > 0 and inspect.isgeneratorfunction(task)

            def across(*given: Any) -> Iterator[Any]:
                for made in task(*pickle.loads(pickle.dumps(given))):
                    yield pickle.loads(pickle.dumps(made))

            return across

        return lend

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")


def test_an_answer_and_its_check_cross_processes(lent, explore, request_of):
    visitor = Visitor()
    (*_, last) = explore.generator.run(visitor, request_of())
    assert last.view["status"]["phase"] == "done" and len(visitor.trace.tokens) == 24
    checker = Checker(explore.site.engine)
    checker.wait(visitor, {"span": 0, "chosen": ["p0.0", "p1.0"], "way": "attention"})
    (*_, checked) = checker.run(visitor)
    assert checked["check"]["phase"] == "done" and len(checked["check"]["rows"]) == 3
