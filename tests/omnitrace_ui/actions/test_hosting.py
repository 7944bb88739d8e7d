"""Projects that came with the program live in the storage; their exports go to the hub."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import StoreError
from core.review import Place, commit, open_project, select
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.actions.review.hosting import settled, upload_exports
from tests.core.review.hub import local_hub
from tests.core.review.making import desk_of, make_project, write


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of projects, as it lies beside the program."""
    folder = tmp_path_factory.mktemp("came")
    make_project(folder, count=1).close()
    return folder


@pytest.mark.parametrize("given", ["", "study"])
def test_a_project_is_copied_once_and_work_survives_a_restart(
    came: Path, given: str, tmp_path: Path
):
    home = settled(came / given, tmp_path)
    with open_project(home / "study") as project:
        desk = desk_of(project)
        place = Place(desk.queue[0], 0)
        write(desk, place, select("p0.1"), commit())
    assert settled(came / given, tmp_path) == home
    with open_project(home / "study") as project:
        assert desk_of(project).sentence(place).state.committed.units == ("p0.1",)
    with open_project(came / "study") as project:
        assert not desk_of(project).sentence(place).state.done
    assert [path.name for path in home.iterdir()] == ["study"]


def test_a_copy_that_was_cut_short_is_begun_anew(
    came: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="No space left"):
        patch.setattr(shutil, "copytree", full)
        settled(came, tmp_path)
    assert not list((tmp_path / "review").iterdir())
    with open_project(settled(came, tmp_path) / "study") as project:
        assert desk_of(project).queue


def test_every_projects_exports_go_to_a_folder_of_their_own(came: Path, tmp_path: Path):
    bench = Bench(settled(came, tmp_path))
    shutil.copytree(tmp_path / "review" / "study", tmp_path / "review" / "other")
    with local_hub() as hub:
        schedules = upload_exports(bench, "team/labels")
        for schedule in schedules:
            # Ends with an upload.
            with schedule:
                pass
    assert {"study/verdicts.parquet", "other/verdicts.parquet"} <= set(hub.files)
    bench.close()
