"""Voxtral's stand-in processor: a checkpoint's own files, long recordings, odd texts."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.media import Limits
from core.models.registry import load_model
from core.prompt import Prompt
from core.timeline import LANES
from tests.core.tiny_multimodal import any_family, tekken


def recording(folder: Path, seconds: float) -> Path:
    samples = np.random.default_rng(0).standard_normal(round(seconds * 16_000)) * 0.1
    soundfile.write(folder / "a.wav", samples, 16_000)
    return folder / "a.wav"


def test_a_folder_as_published_loads_and_reads_what_the_model_in_memory_reads(tmp_path: Path):
    tiny, folder = any_family("voxtral"), tekken(tmp_path)
    tiny.model.save_pretrained(folder)
    tiny.processor._audio_processor.save_pretrained(folder)
    loaded = load_model(str(folder), device="cpu", dtype="float32")
    prompt = Prompt.of("What is said?", [recording(tmp_path, 1.75), "Née 😀 at last."])
    one, other = (model.prepare(prompt, limits=Limits()) for model in (loaded, tiny))
    assert one.inputs["input_ids"].tolist() == other.inputs["input_ids"].tolist()
    assert np.array_equal(one.timeline.part, other.timeline.part)
    assert loaded.stop_tokens >= {2} and loaded.info.family == "voxtral"


@pytest.mark.parametrize(("seconds", "chunks"), [(29.9, 1), (30.0, 1), (31.0, 2)])
def test_silence_up_to_whole_chunks_is_no_source(seconds: float, chunks: int, tmp_path: Path):
    model = any_family("voxtral")
    one = model.prepare(Prompt.of("", [recording(tmp_path, seconds)]), limits=Limits())
    ids, timeline = one.inputs["input_ids"][0].numpy(), one.timeline
    assert (ids == 24).sum() == 375 * chunks == 375 * len(one.inputs["input_features"])
    heard = timeline.lane == LANES.index("audio")
    assert heard.sum() == np.ceil(seconds * 12.5)
    assert timeline.seconds[heard][-1, 1] == pytest.approx(seconds)
    assert ids[0] == 1 and ids[1] == 3 and ids[-1] == 4 and ids[2] == 25  # <s>[INST]…[/INST]


def test_a_written_placeholder_stays_a_text(tmp_path: Path):
    model = any_family("voxtral")
    prompt = Prompt.of("[AUDIO] [/INST]", [recording(tmp_path, 1.0)])
    ids = model.prepare(prompt, limits=Limits()).inputs["input_ids"][0].tolist()
    assert ids.count(24) == 375 and ids.count(4) == 1
