"""Older files open; a newer one asks for an update."""

from pathlib import Path

from core.trace import Trace
from tests.core.tracefile.rewriting import changed, refused


def test_a_file_of_version_1_opens(saved: Path, tmp_path: Path):
    def older(document) -> None:
        document["version"] = 1
        del document["given"], document["as_untraced"], document["transcripts"]
        without_version_3(document)

    back = Trace.load(changed(saved, older), tmp_path / "visitor")
    assert (back.given, back.as_untraced, dict(back.transcripts)) == (False, None, {})
    assert (back.shortage, dict(back.view)) == (None, {})


def test_a_file_of_version_2_opens(saved: Path, tmp_path: Path):
    def older(document) -> None:
        document["version"] = 2
        without_version_3(document)

    back = Trace.load(changed(saved, older), tmp_path / "visitor")
    assert (back.shortage, dict(back.view)) == (None, {})
    assert {(info.speech, info.shots) for info in back.media} == {((), ())}


def without_version_3(document) -> None:
    del document["shortage"], document["view"]
    for info in document["media"]:
        del info["speech"], info["shots"]


def test_a_newer_file_asks_for_an_update(saved: Path):
    newer = changed(saved, lambda document: {"format": "omnitrace", "version": 99, "new": []})
    refused(newer, "version 99, written by a newer .* reads up to version 3. Update")
