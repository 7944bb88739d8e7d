"""Files stay with their visitor: nobody reaches another's, or the machine's."""

import shutil
import time
from copy import deepcopy
from pathlib import Path

import pytest

from core.errors import InputError, LimitError
from omnitrace_ui.allowance import Allowance
from omnitrace_ui.session import UNHELD_SECONDS, Store, Visitor, bytes_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    root = tmp_path / "root"
    root.mkdir()
    return Store(root)


def upload(store: Store, name: str = "a.png", content: bytes = b"x") -> Path:
    """As gradio stores an upload: in a folder named by its content."""
    folder = store.root / f"hash{content.hex()}"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def test_visitors_have_folders_of_their_own_that_nobody_can_guess(store):
    one, other = Visitor(), Visitor()
    assert store.folder(one) == store.folder(one) != store.folder(other)
    assert len(one.key) == 32
    assert store.folder(one).stat().st_mode & 0o077 == 0


def test_the_initial_state_can_be_copied_for_every_tab():
    assert deepcopy(Visitor()) == Visitor()


def test_uploads_and_own_files_can_be_used(store):
    visitor = Visitor()
    own = store.fresh_folder(visitor) / "1.png"
    own.write_bytes(b"x")
    assert store.given(visitor, upload(store)) == upload(store)
    assert store.given(visitor, own) == own


@pytest.mark.parametrize("path", ["/etc/passwd", "relative.png", "", "/", "/nowhere\0/x"])
def test_files_of_the_machine_cannot(store, path):
    with pytest.raises(InputError):
        store.given(Visitor(), Path(path))


def test_no_way_leads_out_of_the_folder(store, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    link = upload(store).with_name("link.png")
    link.symlink_to(secret)
    for path in (link, store.root / ".." / "secret.txt", store.root, upload(store).parent):
        with pytest.raises(InputError):
            store.given(Visitor(), path)


def test_another_visitors_file_cannot_be_used(store):
    victim, thief = Visitor(), Visitor()
    secret = store.fresh_folder(victim) / "0.png"
    secret.write_bytes(b"secret")
    for someone in (thief, Visitor(), Visitor(key="..")):
        with pytest.raises(InputError):
            store.given(someone, secret)


def test_a_refusal_tells_no_path(store):
    with pytest.raises(InputError) as error:
        store.given(Visitor(), Path("/etc/passwd"))
    assert "/etc" not in str(error.value)


def aged(path: Path, store: Store, monkeypatch) -> None:
    """Let so much time pass that an upload which nobody names is deleted."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + UNHELD_SECONDS + 1)
    store.tidy()
    monkeypatch.undo()


def test_who_leaves_takes_everything_along(store, monkeypatch):
    visitor, other = Visitor(), Visitor()
    path, kept = upload(store), upload(store, content=b"other")
    folder = store.fresh_folder(visitor)
    store.hold(visitor, [path])
    store.hold(other, [kept])
    store.forget(visitor)
    assert not folder.exists() and visitor.trace is None
    assert path.exists(), "somebody may have given the same file this second"
    aged(path, store, monkeypatch)
    assert not path.exists()
    assert kept.exists()
    assert visitor.stopping, "a running generation must end"
    store.forget(visitor)
    store.forget(Visitor())


def test_a_file_that_two_visitors_gave_goes_with_the_last_of_them(store, monkeypatch):
    one, other, path = Visitor(), Visitor(), upload(store)
    store.hold(one, [path])
    store.hold(other, [path])
    store.forget(one)
    aged(path, store, monkeypatch)
    assert path.exists()
    store.forget(other)
    aged(path, store, monkeypatch)
    assert not path.exists()


def test_half_an_upload_is_deleted_some_minutes_later(store, monkeypatch):
    """What gradio leaves behind when a connection breaks: a file beside the folders."""
    half = store.root / "tmpabc"
    half.write_bytes(b"half")
    store.tidy()
    assert half.exists(), "it may still be on its way"
    aged(half, store, monkeypatch)
    assert not half.exists()


def small(tmp_path: Path, **bounds: int) -> Store:
    root = tmp_path / "small"
    root.mkdir()
    return Store(root, Allowance(**bounds))


def test_a_visitor_keeps_no_more_than_allowed_and_is_told_what_to_do(tmp_path):
    store, visitor = small(tmp_path, visitor_megabytes=1), Visitor()
    big = upload(store, content=b"y")
    big.write_bytes(bytes(1_100_000))
    with pytest.raises(LimitError, match=r"come to 1\.1 MB; the limit is 1\.0 MB.*reload the page"):
        store.hold(visitor, [big])
    (store.fresh_folder(visitor) / "a.png").write_bytes(bytes(1_100_000))
    with pytest.raises(LimitError):
        store.fresh_folder(visitor)
    assert store.fresh_folder(Visitor()), "others have their own"


def test_a_file_under_several_names_counts_once(store):
    path = upload(store, content=b"12345")
    (store.root / "again").hardlink_to(path)
    assert bytes_of(store.root.rglob("*")) == 5


def test_all_together_keep_no_more_than_allowed(tmp_path, monkeypatch):
    store = small(tmp_path)
    assert store.has_room(10**9) and not store.has_room(30 * 10**9)
    free = shutil.disk_usage(store.root)._replace(free=10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    with pytest.raises(LimitError, match="no room"):
        store.fresh_folder(Visitor())


def test_a_closed_tab_is_forgotten_an_hour_later(tmp_path, monkeypatch):
    store, visitor, other = small(tmp_path), Visitor(), Visitor()
    store.arrive("tab", visitor)
    store.arrive("other", other)
    folder, kept = store.fresh_folder(visitor), store.fresh_folder(other)
    store.close("nobody")
    store.close("tab")
    store.tidy()
    assert folder.exists(), "the connection may only have broken"
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61 * 60)
    store.tidy()
    assert not folder.exists() and kept.exists()


def test_beyond_a_number_those_quiet_for_longest_are_forgotten(tmp_path):
    store = small(tmp_path, visitors=2)
    visitors = [Visitor() for _ in range(4)]
    folders = [store.fresh_folder(visitor) for visitor in visitors]
    for number, visitor in enumerate(visitors):
        store.arrive(str(number), visitor)
    visitors[0].running = True
    store.tidy()
    assert [folder.exists() for folder in folders] == [True, False, True, True]
