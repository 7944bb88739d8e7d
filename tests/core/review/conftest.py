"""Projects are made once and copied: opening traces and cutting sentences takes its time."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.review import Project, open_project
from tests.core.review.making import make_project


@pytest.fixture(scope="session")
def _open(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("open")
    make_project(folder).close()
    return folder / "study"


@pytest.fixture(scope="session")
def _blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blind")
    make_project(folder, blind=True).close()
    return folder / "study"


@pytest.fixture
def project(_open: Path, tmp_path: Path) -> Iterator[Project]:
    """Four answers, two of them shared by anna and ben; lea leads."""
    with open_project(shutil.copytree(_open, tmp_path / "study")) as found:
        yield found


@pytest.fixture
def blind(_blind: Path, tmp_path: Path) -> Iterator[Project]:
    """The same, blind."""
    with open_project(shutil.copytree(_blind, tmp_path / "blind")) as found:
        yield found
