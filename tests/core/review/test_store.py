"""The store keeps its word: races, retries, kill -9, locks, full disks, backups, versions."""

import contextlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from core.errors import InputError, StaleError, StoreError
from core.review import Place, Project, commit, new_id, note, open_project, schema, select, undo
from core.review.database import open_engine
from tests.core.review.clicking import places, stored
from tests.core.review.making import desk_of, lead_of, race, send_at_once, shared, write

ROOT = Path(__file__).resolve().parents[3]


def test_a_stale_tab_is_refused_with_the_newer_state(project: Project):
    one = desk_of(project)
    other = desk_of(open_project(project.folder))
    place = Place(one.queue[0], 0)
    seen = other.sentence(place)
    now = write(one, place, select("p0.1"))
    with pytest.raises(StaleError, match="changed meanwhile") as error:
        other.write(place, select("p0.0"), version=seen.state.version, event_id=new_id())
    assert error.value.view == now == other.sentence(place)
    again = other.write(place, select("p0.0"), version=now.state.version, event_id=new_id())
    assert again.state.verdict.units == ("p0.0", "p0.1")


def test_a_retry_is_answered_and_not_written_again(project: Project):
    desk = desk_of(project)
    place = Place(desk.queue[0], 0)
    first = desk.write(place, select("p0.1"), version=0, event_id="once")
    assert desk.write(place, select("p0.1"), version=0, event_id="once") == first
    later = write(desk, place, commit())
    assert desk.write(place, select("p0.1"), version=0, event_id="once") == later
    assert later.state.version == 2
    with pytest.raises(InputError, match="stands for another change"):
        desk.write(place, undo(), version=2, event_id="once")
    for wrong in ("", "x" * 65):
        with pytest.raises(InputError, match="1 to 64"):
            desk.write(place, undo(), version=2, event_id=wrong)


def test_racing_connections_never_overwrite_each_other(project: Project):
    """Eight writers, a connection each, on one sentence: every version is one writer's."""
    place = Place(shared(project), 0)
    made = race(partial(open_project, project.folder), place, writers=8, each=5)
    assert made == list(range(1, 41))
    assert lead_of(project).sentence(place).opinions["anna"].version == 40


def test_one_event_sent_twice_at_once_is_one(project: Project):
    desk = desk_of(project)
    place = Place(desk.queue[0], 0)

    def send() -> int:
        return desk.write(place, select("p0.1"), version=0, event_id="once").state.version

    assert send_at_once(send, times=6) == {1}


def test_kill_9_loses_no_acknowledged_click(project: Project):
    desk = desk_of(project)
    clicks, acknowledged = 1_000, 0
    command = [sys.executable, "-m", "tests.core.review.clicking", project.folder, str(clicks)]
    for killed_after in (400, None):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for line in process.stdout:
            acknowledged = int(line)
            if killed_after and acknowledged >= killed_after:
                process.send_signal(signal.SIGKILL)
                break
        # What it had said before it died, and was not read yet.
        acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        process.stdout.close()
        assert process.wait(60) == (-signal.SIGKILL if killed_after else 0)
        assert acknowledged <= stored(desk) <= acknowledged + 1
    assert acknowledged == stored(desk) == clicks
    for place in places(desk):
        state = desk.sentence(place).state
        assert state.verdict.units == (("p0.0",) if state.version % 2 else ())
    with contextlib.closing(sqlite3.connect(project.folder / "review.sqlite3")) as store:
        ids = [row[0] for row in store.execute("SELECT id FROM review_event ORDER BY seq")]
        assert ids == [f"click-{number}" for number in range(1, clicks + 1)]
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_commit_is_synced(project: Project):
    engine = open_engine(f"sqlite:///{project.folder / 'review.sqlite3'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"
    engine.dispose()


def test_a_locked_store_is_told_and_reading_goes_on(project: Project):
    file = project.folder / "review.sqlite3"
    with open_project(project.folder, store=f"sqlite:///{file}?timeout=0.1") as hasty:
        desk = desk_of(hasty)
        place = Place(desk.queue[0], 0)
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked by another program"):
                desk.write(place, select("p0.1"), version=0, event_id="mine")
            assert desk.sentence(place).state.version == 0
            other.execute("ROLLBACK")
        view = desk.write(place, select("p0.1"), version=0, event_id="mine")
        assert view.state.verdict.units == ("p0.1",)


def test_a_writer_waits_for_a_short_lock(project: Project):
    file = project.folder / "review.sqlite3"
    desk = desk_of(project)
    with contextlib.closing(
        sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
        release.start()
        assert write(desk, Place(desk.queue[0], 0), select("p0.1")).state.version == 1
        release.join()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of 600 KB at ``folder``; where none may be mounted, a limit on files."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "none", folder], capture_output=True
    )
    if mounted.returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_nothing_acknowledged_is_lost(project: Project, tmp_path: Path):
    disk = tmp_path / "disk"
    with small_disk(disk):
        file = disk / "review.sqlite3"
        project.backup(file)
        with open_project(project.folder, store=f"sqlite:///{file}") as cramped:
            desk = desk_of(cramped)
            place = Place(desk.queue[0], 0)
            version = 0
            with pytest.raises(StoreError, match=r"disk .* is full"):
                for version in range(1_000):
                    change = note(f"{version} {'x' * 9_000}")
                    desk.write(place, change, version=version, event_id=f"n{version}")
            assert version > 5
            stored = desk.sentence(place).state
            assert stored.version == version
            assert stored.verdict.note.startswith(f"{version - 1} ")
            kept = shutil.copytree(disk, tmp_path / "kept")
    # As after the disk was made larger: the same files go on.
    with open_project(project.folder, store=f"sqlite:///{kept / file.name}") as roomy:
        desk = desk_of(roomy)
        again = desk.write(place, note("room"), version=version, event_id=f"n{version}")
        assert again.state.verdict.note == "room"


def test_a_backup_is_whole_while_others_write(project: Project, tmp_path: Path):
    desk = desk_of(project)
    place = Place(desk.queue[0], 0)
    done = threading.Event()

    def click() -> int:
        version = 0
        while not done.is_set():
            version = write(desk, place, note(str(version))).state.version
        return version

    with ThreadPoolExecutor(1) as pool:
        clicking = pool.submit(click)
        try:
            copies = [project.backup(tmp_path / f"copy-{n}.sqlite3") for n in range(3)]
        finally:
            done.set()
        last = clicking.result()
    seen = []
    for copy in copies:
        with open_project(project.folder, store=f"sqlite:///{copy}") as restored:
            state = desk_of(restored).sentence(place).state
            assert state.version == 0 or state.verdict.note == str(state.version - 1)
            seen.append(state.version)
    assert seen == sorted(seen) and seen[-1] <= last
    assert not list(tmp_path.glob("*.part*"))
    with pytest.raises(StoreError):
        project.backup(tmp_path / "none" / "copy.sqlite3")


def test_an_older_store_is_brought_up_to_date_and_a_newer_one_refused(project: Project):
    def add_colour(connection: object) -> None:
        connection.execute(text("ALTER TABLE review_account ADD COLUMN colour TEXT"))

    engine = open_engine(f"sqlite:///{project.folder / 'review.sqlite3'}")
    with engine.execution_options(writes=True).begin() as connection:
        assert schema.is_current(connection)
        schema.upgrade(connection)
        schema.upgrade(connection, steps=(add_colour,))
        schema.upgrade(connection, steps=(add_colour,))
        colours = connection.execute(text("SELECT colour FROM review_account")).scalars().all()
        assert colours == [None] * 3, "accounts are still there"
    engine.dispose()
    with pytest.raises(StoreError, match="version 2, written by a newer"):
        open_project(project.folder)


def test_a_step_that_fails_leaves_the_store_as_it_was(project: Project):
    def fail(connection: object) -> None:
        connection.execute(text("ALTER TABLE review_account ADD COLUMN colour TEXT"))
        raise RuntimeError

    engine = open_engine(f"sqlite:///{project.folder / 'review.sqlite3'}")
    with pytest.raises(RuntimeError), engine.execution_options(writes=True).begin() as connection:
        schema.upgrade(connection, steps=(fail,))
    engine.dispose()
    assert "colour" not in str(
        sqlite3.connect(project.folder / "review.sqlite3")
        .execute("SELECT sql FROM sqlite_master")
        .fetchall()
    )
    open_project(project.folder).close()


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x/y", "postgresql+nosuch://x/y"])
def test_a_url_that_cannot_be_understood_is_told(project: Project, url: str):
    with pytest.raises(InputError, match="URL"):
        open_project(project.folder, store=url)


def test_a_store_in_a_folder_that_is_none_is_told(project: Project, tmp_path: Path):
    with pytest.raises(StoreError, match="rights"):
        open_project(project.folder, store=f"sqlite:///{tmp_path / 'none' / 'x.sqlite3'}")


def test_two_projects_share_a_database(project: Project, blind: Project, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'all.sqlite3'}"
    with (
        open_project(project.folder, store=url) as one,
        open_project(blind.folder, store=url) as two,
    ):
        one.add_account("anna")
        assert [account.name for account in one.accounts()] == ["anna"]
        assert two.accounts() == ()
        two.add_account("anna")
        place = Place(desk_of(one).queue[0], 0)
        assert place.item in desk_of(two).queue, "the same answers in both"
        one_view = desk_of(one).write(place, select("p0.1"), version=0, event_id="same id")
        assert one_view.state.version == 1
        assert desk_of(two).sentence(place).state.version == 0
        desk_of(two).write(place, select("p0.0"), version=0, event_id="same id")
