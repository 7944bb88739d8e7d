"""The zip: hostile names, links, sizes and packing are refused with a clear message."""

import stat
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from core.trace import Trace
from core.tracefile import archive
from tests.core.tracefile.rewriting import entries, refused, rewrite


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "/etc/evil.png",
        "media/../evil.png",
        "media/0001.png/x",
        "media/0001.html\n",
        "media/evil.png",
        "media\\0001.png",
        "C:/evil.png",
        "media/",
        "evil.py",
        "trace.pkl",
        "media/٠٠٠١.png",
    ],
)
def test_entries_that_no_trace_file_has(saved: Path, name: str, tmp_path: Path):
    refused(rewrite(saved, {**entries(saved), name: b"evil"}), "which no trace file has")
    assert not list(tmp_path.rglob("*evil*"))


def test_links_and_other_special_files(saved: Path):
    content = entries(saved)
    del content["media/0001.png"]
    with zipfile.ZipFile(rewrite(saved, content), "a") as target:
        link = zipfile.ZipInfo("media/0001.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "/etc/passwd")
    refused(saved, "link")


def test_one_name_twice(saved: Path):
    with zipfile.ZipFile(saved, "a") as target, pytest.warns(UserWarning, match="Duplicate"):
        target.writestr("trace.json", "{}")
    refused(saved, "one name")


def test_media_that_no_part_names_are_not_unpacked(saved: Path, tmp_path: Path):
    rewrite(saved, {**entries(saved), "media/0007.html": b"<script>alert(1)</script>"})
    Trace.load(saved, tmp_path / "visitor")
    assert not list((tmp_path / "visitor").rglob("*.html"))


def test_too_many_entries(saved: Path):
    many = {f"media/{n:04d}.png": b"" for n in range(archive.MAX_ENTRIES)}
    refused(rewrite(saved, {**entries(saved), **many}), "entries; at most")


def test_a_bomb_is_refused_before_it_is_unpacked(saved: Path):
    bomb = {**entries(saved), "media/0009.png": bytes(archive.HARMLESS + 1)}
    refused(rewrite(saved, bomb), "packed too tightly")


def test_a_file_that_would_fill_the_disk(saved: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_TOTAL", 1_000)
    refused(saved, "would unpack to .* at most 1000")


def test_a_table_of_contents_is_not_read_beyond_its_bound(saved: Path):
    """Its entries are counted after all are in memory, half a kilobyte each."""
    names = {f"media/{n:04d}.png": b"" for n in range(10_000)}
    rewrite(saved, {**entries(saved), **names})
    tracemalloc.start()
    refused(saved, "not a trace file")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_size_that_lies(saved: Path):
    """The table of contents says one byte; no more than that is ever taken."""
    data = bytearray(saved.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"scores.safetensors"))
    data[at + 24 : at + 28] = (1).to_bytes(4, "little")
    saved.write_bytes(data)
    refused(saved, "damaged")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing(saved: Path, compression: int):
    refused(rewrite(saved, entries(saved), compression), "unknown way")


def test_an_encrypted_entry(saved: Path):
    data = bytearray(saved.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark)
        data[at + offset] |= 1
    saved.write_bytes(data)
    refused(saved, "cannot be opened")


def test_damaged_media_leave_nothing_behind(saved: Path):
    data = bytearray(saved.read_bytes())
    data[data.index(b"c.mp4c.mp4") + 5] ^= 1
    saved.write_bytes(data)
    refused(saved, "media are damaged")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18), b"PK\x03\x04"])
def test_files_that_are_something_else(tmp_path: Path, content: bytes):
    (tmp_path / "x.omnitrace").write_bytes(content)
    refused(tmp_path / "x.omnitrace", "not a trace file")


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path):
    refused(tmp_path / "gone.omnitrace", "no such file")
    (tmp_path / "d.omnitrace").mkdir()
    refused(tmp_path / "d.omnitrace", "not a trace file")
