"""The saved traces that come with the app."""

from pathlib import Path

from core.trace import Trace
from core.world import gallery
from core.world.bench import HELD_OUT

SHIPPED = HELD_OUT.parents[1] / "traces"


def test_the_gallery_is_made_by_its_command(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(gallery, "TASKS", {"which-pictures": "which"})
    monkeypatch.setattr(gallery, "MOST_TOKENS", 8)
    assert gallery.main(["--out", str(tmp_path / "traces")]) == 0
    (file,) = (tmp_path / "traces").iterdir()
    assert file.name == "which.omnitrace"
    assert 0 < len(Trace.load(file, tmp_path).tokens) <= 8


def test_what_is_shipped_opens_and_is_complete(tmp_path: Path):
    assert sorted(f.stem for f in SHIPPED.iterdir()) == sorted(gallery.TASKS.values())
    for file in SHIPPED.iterdir():
        shown = Trace.load(file, tmp_path)
        assert shown.model.world_only and shown.stopped == "end"
        assert all(part.path.is_file() for _, part in shown.prompt.media)
