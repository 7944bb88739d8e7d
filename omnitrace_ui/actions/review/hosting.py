"""The annotators' projects on a host that forgets its disk: where they live, where exports go."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from core.errors import StoreError
from core.review import find_projects
from core.review.upload import ExportSchedule, schedule_exports
from omnitrace_ui.actions.review.bench import PROJECT_FILE, Bench


def settled(projects: Path, storage: Path) -> Path:
    """The folder in the storage where people work on these projects, from now on.

    A project that came with the program is copied there once; what has been done to it since is
    left as it is.

    Args:
        projects: a project, or a folder of them.
        storage: outlives a restart.

    Raises:
        StoreError: the storage cannot be written.
    """
    home = storage / "review"
    single = (projects / PROJECT_FILE).is_file()
    try:
        home.mkdir(parents=True, exist_ok=True)
        for project in (projects,) if single else find_projects(projects):
            target = home / project.resolve().name
            if not target.exists():
                _copy(project, target)
    except OSError as error:
        raise StoreError(
            f"Projects cannot be kept in {storage.name!r}: {error.strerror}."
        ) from error
    return home


def _copy(project: Path, target: Path) -> None:
    """Whole or not at all: half a project would be taken for one after the next restart."""
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}-", dir=target.parent))
    try:
        shutil.copytree(project, draft / "project").rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def upload_exports(
    bench: Bench, dataset: str, *, minutes: float = 30
) -> tuple[ExportSchedule, ...]:
    """Begin to upload every project's exports, each into a folder of its name.

    Args:
        bench: the projects that there are now.
        dataset: ``OWNER/NAME``, made private if it does not exist.
        minutes: between two uploads.

    Raises:
        AccessError, StoreError: as ``core.review.upload.schedule_exports``.
    """
    return tuple(
        schedule_exports(
            bench.project(name).operator(),
            bench.work / "exports" / name,
            dataset,
            minutes=minutes,
            within=name,
        )
        for name in bench.names
    )
