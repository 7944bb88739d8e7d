"""``trace.json``: every value is checked before anything is made of it."""

import json
from pathlib import Path

import pytest

from core.tracefile import archive
from tests.core.tracefile.rewriting import changed, entries, refused, rewrite


def set_in(document, path: str, value) -> None:
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in parents:
        document = document[key]
    document[last] = value


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("version", 0),
        ("version", "1"),
        ("version", True),
        ("given", None),
        ("as_untraced", 1),
        ("view", []),
        ("view", {"sentence": 2}),
        ("view", {"x": "y" * 201}),
        ("instruction", 3),
        ("instruction", "\ud800"),
        ("parts", {}),
        ("parts.0", "text"),
        ("parts.0.kind", "page"),
        ("parts.0.kind", ["text"]),
        ("parts.0.text", None),
        ("parts.0.text", "short"),
        ("parts.0.extra", 1),
        ("parts.1.file", "/etc/passwd"),
        ("parts.1.file", "../../secret.png"),
        ("parts.1.file", "media/0002.wav"),
        ("parts.1.file", "media/0001.html"),
        ("parts.1.file", "trace.json"),
        ("parts.1.kind", "video"),
        ("parts.1.name", ["x"]),
        ("answer", "The"),
        ("answer", None),
        ("tokens.0.start", -1),
        ("tokens.0.start", 0.0),
        ("tokens.1.end", 10**9),
        ("tokens.2.start", 0),
        ("tokens.2.end", 0),
        ("tokens.0.id", -1),
        ("tokens.0.id", 2**70),
        ("tokens.0.text", 5),
        ("tokens", []),
        ("signals", []),
        ("signals", ["attmean", "attmean"]),
        ("signals", ["attmean", 3]),
        ("signals.0", "x" * 300),
        ("media", []),
        ("media.1.width", 0),
        ("media.1.width", 1.5),
        ("media.2.duration", -1),
        ("media.2.duration", "1"),
        ("media.2.duration", 1e300),
        ("media.2.peaks", [2.0]),
        ("media.2.peaks", "01"),
        ("media.3.has_sound", 1),
        ("media.1.notes", [None]),
        # Bins of a quarter of a second would take gigabytes.
        ("media.2.duration", 1e7),
        ("model.parameters", -1),
        ("model.path", "/root"),
        ("model.world_only", "no"),
        ("generation.temperature", -1),
        ("generation.seed", 0.5),
        ("generation.max_new_tokens", 0),
        ("stopped", "crashed"),
        ("timings", []),
        ("timings.prefill", -0.1),
        ("timings.prefill", None),
    ],
)
def test_every_value_is_checked(saved: Path, at: str, value):
    refused(changed(saved, lambda document: set_in(document, at, value)), "cannot be opened")


def test_more_text_than_can_be_cut_into_sentences(saved: Path):
    def lengthen(document):
        document["instruction"] = document["answer"] = "a " * 300_000

    refused(changed(saved, lengthen), "characters of text")


@pytest.mark.parametrize("key", ["instruction", "parts", "tokens", "timings", "stopped", "model"])
def test_nothing_may_be_missing(saved: Path, key: str):
    refused(changed(saved, lambda document: document.pop(key) and None), "exactly")


@pytest.mark.parametrize("value", [[], 3, None, "omnitrace", {"format": "other"}, {"version": 1}])
def test_foreign_documents(saved: Path, value):
    content = {**entries(saved), "trace.json": json.dumps(value).encode()}
    refused(rewrite(saved, content), "not a trace file")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("speech", [[0.0, 1.0], [0.5, 2.0]]),
        ("speech", [[1.0]]),
        ("speech", [[2.0, 1.0]]),
        ("shots", [0.0, 2.0, 1.0]),
        ("shots", [1.0, 2.0]),
    ],
)
def test_time_that_runs_backwards_is_refused(saved: Path, key: str, value: list):
    def broken(document) -> None:
        document["media"][-1][key] = value

    refused(changed(saved, broken), f"{key} is out of order|{key} are out of order")


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": "omnitrace", "version": 1, "x": NaN}',
        b"9" * 10_000,
    ],
)
def test_documents_that_are_no_json(saved: Path, plain: bytes):
    refused(rewrite(saved, {**entries(saved), "trace.json": plain}), "trace.json is damaged")


def test_numbers_that_json_does_not_have(saved: Path):
    content = entries(saved)
    plain = content["trace.json"].replace(b'"duration": 1.5', b'"duration": Infinity')
    assert plain != content["trace.json"]
    refused(rewrite(saved, {**content, "trace.json": plain}), "damaged")


def test_a_huge_document(saved: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "MAX_DOCUMENT", 100)
    refused(saved, "larger than 100 bytes")


def test_a_document_of_nothings_is_not_parsed(saved: Path):
    """Four million empty lists pack into a few kilobytes, and would take 250 MB."""
    nothings = b"[" + b"[]," * archive.MAX_VALUES + b"[]]"
    refused(rewrite(saved, {**entries(saved), "trace.json": nothings}), "values")
