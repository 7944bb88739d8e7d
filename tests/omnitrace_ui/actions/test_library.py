"""Examples and saved traces that the page offers."""

import json
from pathlib import Path

import pytest

from core.errors import InputError
from core.prompt import Prompt
from omnitrace_ui.actions.library import TITLES, Library

HELDOUT = Path(__file__).resolve().parents[3] / "assets" / "heldout" / "samples.json"


def test_the_held_out_set_gives_an_example_of_every_title(tmp_path):
    library = Library.read(HELDOUT, tmp_path)
    assert [example.title for example in library.examples] == list(TITLES.values())
    kinds = {kind for kind, _ in library.examples[0].sample.question}
    assert kinds == {"text", "image", "audio", "video"}, "the first shows everything at once"


def test_it_knows_its_own_prompts_and_no_others(tmp_path):
    library = Library.read(HELDOUT, tmp_path)
    prompt = library.samples[7].prompt()
    assert library.knows(prompt)
    assert not library.knows(Prompt(prompt.instruction, (*prompt.parts, *prompt.parts)))
    assert not library.knows(Prompt.of("Describe.", [Path("holiday.jpg")]))


def test_nothing_there_is_an_empty_library(tmp_path):
    assert Library.read(tmp_path / "none.json", tmp_path / "none") == Library()


def test_a_malformed_file_of_samples_is_told(tmp_path):
    path = tmp_path / "samples.json"
    path.write_text(json.dumps({"not": "a list"}))
    with pytest.raises(InputError):
        Library.read(path, tmp_path)


def test_saved_traces_are_known_by_name_only(tmp_path):
    (tmp_path / "a film.omnitrace").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    library = Library.read(tmp_path / "none.json", tmp_path)
    assert library.trace("a film") == tmp_path / "a film.omnitrace"
    for name in ("../a film", "notes", "/etc/passwd", "", "a film.omnitrace"):
        with pytest.raises(InputError):
            library.trace(name)


def test_the_storage_that_outlives_a_restart_adds_to_the_gallery_and_wins(tmp_path):
    ours, kept = tmp_path / "ours", tmp_path / "kept"
    for folder, names in ((ours, "ab"), (kept, "bc")):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.omnitrace").touch()
    library = Library.read(tmp_path / "none.json", ours, kept, tmp_path / "not there")
    assert [name for name, _ in library.traces] == ["a", "b", "c"]
    assert library.trace("b") == kept / "b.omnitrace"
