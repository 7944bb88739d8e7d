"""Sessions that end, and media that make room for others."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from core.errors import InputError, StoreError
from omnitrace_ui.actions.review import bench as benches
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.actions.review.sessions import KEY_FILE, LIFETIME, NobodyError, Sessions
from tests.core.review.making import desk_of, make_project


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    make_project(folder, count=3).close()
    return folder


def test_a_session_ends_by_itself_and_its_key_is_its_owners(root: Path):
    now = [1000.0]
    bench = Bench(root)
    sessions = Sessions(bench, clock=lambda: now[0])
    token = sessions.sign_in("study", "anna", "").session
    now[0] += LIFETIME - 1
    assert sessions.signed(token).account.name == "anna"
    now[0] += 1
    with pytest.raises(NobodyError):
        sessions.signed(token)
    assert stat.S_IMODE((root / KEY_FILE).stat().st_mode) == 0o600
    bench.close()


def test_a_damaged_key_is_told(tmp_path: Path):
    make_project(tmp_path, count=1).close()
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(StoreError, match="delete it"):
        Sessions(Bench(tmp_path))


def test_a_folder_without_projects_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(InputError, match="core review create"):
        Bench(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        Bench(tmp_path / "missing")


def test_unpacked_media_make_room_and_come_back(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(benches, "KEPT_TRACES", 1)
    bench = Bench(root)
    desk = desk_of(bench.project("study"))
    first, second = desk.queue[:2]

    def shown(item: str):
        return bench.shown("study", item, lambda folder: desk.trace(item, folder))

    held = shown(first)
    assert held.folder and held.folder.is_dir()
    assert shown(first) is held
    shown(second)
    assert not held.folder.exists()
    again = shown(first)
    assert again.folder and again.folder.is_dir() and again.value == held.value
    bench.close()
    assert not bench.work.exists()
