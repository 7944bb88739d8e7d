"""Files stay with their visitor: nobody reaches another's, or the machine's."""

from copy import deepcopy
from pathlib import Path

import pytest

from core.errors import InputError
from omnitrace_ui.session import Store, Visitor


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


def test_who_leaves_takes_everything_along(store):
    visitor, other = Visitor(), Visitor()
    path, kept = upload(store), upload(store, content=b"other")
    folder = store.fresh_folder(visitor)
    store.hold(visitor, [path])
    store.hold(other, [kept])
    store.forget(visitor)
    assert not folder.exists() and not path.exists()
    assert kept.exists()
    assert visitor.stopping, "a running generation must end"
    store.forget(visitor)
    store.forget(Visitor())


def test_a_file_that_two_visitors_gave_goes_with_the_last_of_them(store):
    one, other, path = Visitor(), Visitor(), upload(store)
    store.hold(one, [path])
    store.hold(other, [path])
    store.forget(one)
    assert path.exists()
    store.forget(other)
    assert not path.exists()


def test_a_file_that_was_only_read_is_deleted_unless_a_form_names_it(store):
    path, held = upload(store), upload(store, content=b"held")
    store.hold(Visitor(), [held])
    store.discard(path)
    store.discard(held)
    assert not path.exists() and held.exists()
