"""The same store in PostgreSQL: a real server of this machine, several connections at once.

Marked `extra`: needs core/review/requirements.txt and Debian's postgresql.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.errors import InputError
from core.review import Place, Project, commit, note, open_project, select
from tests.core.review.making import desk_of, lead_of, race, send_at_once, shared, write

pytestmark = pytest.mark.extra


def programs() -> Path:
    """Debian keeps the server's programs beside ``initdb``, outside of PATH."""
    found = shutil.which("initdb") or next(iter(Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    return Path(found).resolve().parent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A new PostgreSQL server on a free port; its URL."""
    folder = Path(tmp_path_factory.mktemp("postgres", numbered=True))
    # The server refuses to run as root.
    user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    if user:
        for path in (folder, *folder.parents[:2]):
            path.chmod(0o755)
        shutil.chown(folder, "nobody", "nogroup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, bin_ = folder / "data", programs()
    run = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL, **user}
    subprocess.run([bin_ / "initdb", "-D", data, "-A", "trust", "-U", "review", "-N"], **run)
    options = f"-p {port} -k {folder} -h 127.0.0.1 -F"
    control = [bin_ / "pg_ctl", "-D", data, "-l", folder / "log", "-w"]
    subprocess.run([*control, "-o", options, "start"], **run)
    yield f"postgresql+psycopg://review@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], **run)


@pytest.fixture
def remote(project: Project, server: str) -> Iterator[Project]:
    with open_project(project.folder, store=server) as found:
        for name, role in (("anna", "annotator"), ("ben", "annotator"), ("lea", "lead")):
            found.add_account(name, role)
        yield found


def test_a_session_in_postgresql(remote: Project, server: str, tmp_path: Path):
    desk, place = desk_of(remote), Place(shared(remote), 0)
    first = desk.write(place, select("p0.1"), version=0, event_id="once")
    assert desk.write(place, select("p0.1"), version=0, event_id="once") == first
    view = write(desk, place, note("\x00'; --"), commit())
    assert view.state.committed.note == "\x00'; --"
    with open_project(remote.folder, store=server) as again:
        assert lead_of(again).sentence(place).opinions == {"anna": view.state}
        assert desk_of(again).progress().done == 1
    with pytest.raises(InputError, match="tools of that database"):
        remote.backup(tmp_path / "copy")


def test_racing_connections_in_postgresql(remote: Project, server: str):
    """Nothing is locked before it is read there: the table's constraint refuses the second."""
    place = Place(shared(remote), 1)
    made = race(partial(open_project, remote.folder, store=server), place, writers=6, each=20)
    assert made == list(range(1, 121))

    def send() -> int:
        return desk_of(remote).write(place, note("!"), version=120, event_id="one").state.version

    assert send_at_once(send, times=6) == {121}
