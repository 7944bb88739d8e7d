"""A judge of this machine, and a trace for it."""

from pathlib import Path

import pytest

from core.trace import Trace
from tests.core.evaluation.judge.asking import save
from tests.core.evaluation.judge.stand_in import serving


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-secret")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with serving() as stand_in:
        yield stand_in


@pytest.fixture
def traced(tmp_path: Path) -> Trace:
    """Saved as ``traces/one.omnitrace``."""
    return save(tmp_path, "one")
