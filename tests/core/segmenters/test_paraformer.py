"""Paraformer through FunASR, on random weights: the whole pipeline runs, its words mean nothing."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import MissingExtraError, ModelError
from core.media import RATE
from core.segmenters import load_segmenter
from core.segmenters.paraformer import _timed
from core.segmenters.sentences import sentences
from core.sources import in_order
from core.trace import Segment
from tests.core.segmenters.tiny_paraformer import CHARACTERS, write_tiny_paraformer

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_paraformer(tmp_path_factory.mktemp("weights") / "tiny-paraformer")


def test_characters_are_heard_where_somebody_speaks(folder: Path, dagger: np.ndarray, capsys):
    threads = torch.get_num_threads()
    paraformer = load_segmenter(f"paraformer:{folder}")
    assert paraformer.name == "paraformer:tiny-paraformer"
    found = paraformer.segments(dagger)
    assert found and in_order(found)
    # The speech lies between 0.45 and 7.23 s (test_pauses).
    assert found[0].start > 0.3 and found[-1].end < 7.5
    assert {*"".join(s.text for s in found)} <= {*CHARACTERS, *"，。？、.,"}
    assert capsys.readouterr().out == ""
    assert torch.get_num_threads() == threads


def test_silence_holds_no_segment(folder: Path):
    assert load_segmenter(f"paraformer:{folder}").segments(np.zeros(2 * RATE, np.float32)) == ()


def test_clauses_become_sentences():
    """As FunASR reports them: milliseconds, cut at every mark."""
    clauses = [
        {"text": "今天，", "start": 500, "end": 1000},
        {"text": "天气好。", "start": 1000, "end": 2000},
        {"text": "Well,", "start": 2000, "end": 2400},
        {"text": "we go.", "start": 2400, "end": 3000},
    ]
    assert sentences(_timed(clauses)) == (
        Segment(0.5, 2.0, "今天，天气好。"),
        Segment(2.0, 3.0, "Well, we go."),
    )


def test_weights_that_are_not_here_are_told_at_once(folder: Path, tmp_path: Path):
    with pytest.raises(ModelError, match=r"paraformer:funasr/paraformer-zh.*FOLDER"):
        load_segmenter("paraformer")
    for name in ("config.yaml", "configuration.json", "tokens.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(ModelError, match=r"funasr/ct-punc, which is not on this machine"):
        load_segmenter(f"paraformer:{tmp_path}")
    (tmp_path / "ct-punc").symlink_to(folder / "ct-punc")
    with pytest.raises(ModelError, match="incomplete"):
        load_segmenter(f"paraformer:{tmp_path}")
    (tmp_path / "model.pt").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="damaged"):
        load_segmenter(f"paraformer:{tmp_path}")


@pytest.mark.parametrize(
    ("module", "name"), [("funasr", "funasr"), ("kaldi_native_fbank", "kaldi-native-fbank")]
)
def test_a_missing_package_is_named(folder: Path, module: str, name: str, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"pip install {name}$"):
        load_segmenter(f"paraformer:{folder}")
