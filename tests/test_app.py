"""The program's own part: options, and what it says before it starts."""

import pytest

import app
from core import cli

MEANING = "will run with all rights of this program"


def test_a_bound_that_is_none_ends_the_program_with_a_message(capsys):
    assert app.main(["--waiting", "0"]) == 1
    said = capsys.readouterr().err
    assert said == "error: waiting is 0: give 1 or more.\n"


def test_code_of_a_model_runs_only_after_a_flag_that_says_what_it_means(capsys, tmp_path):
    assert app.main(["--trust-remote-code", "--waiting", "0"]) == 1
    assert MEANING in capsys.readouterr().err
    samples = str(tmp_path / "none.json")
    for flags in (["--trust-remote-code"], []):
        cli.main(["trace", samples, "--out", str(tmp_path), *flags])
        assert (MEANING in capsys.readouterr().err) == bool(flags)


@pytest.mark.parametrize("storage", [None, "/data"])
def test_storage_can_be_named_by_the_environment(monkeypatch, storage):
    monkeypatch.delenv("OMNITRACE_STORAGE", raising=False)
    if storage:
        monkeypatch.setenv("OMNITRACE_STORAGE", storage)
    folders = app._kept(app._parser().parse_args([]))
    assert [str(folder) for folder in folders] == ([f"{storage}/traces"] if storage else [])
