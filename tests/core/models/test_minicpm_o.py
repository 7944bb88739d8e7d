"""MiniCPM-o: its layout by hand, the mending on the real classes, and a run over its module tree.

The tree is a structural double (the model's code comes with its weights and is not ours): a Qwen3
language model, and encoders that write each piece's number and place into the embeddings.
"""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from core.models.minicpm_o import MiniCPMO45  # isort: skip  (first: it makes torchvision usable)
from transformers import Qwen3Config, Qwen3ForCausalLM, WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperAttention

from core.decoding import trace
from core.errors import ModelError
from core.media import Limits
from core.models.minicpm_o.code import import_code
from core.models.minicpm_o.layout import cut, positions_of_sound, slice_boxes
from core.models.minicpm_o.mending import mend, require_positions, sine_positions
from core.prompt import Prompt
from core.timeline import LANES, STRUCTURAL
from tests.core.tiny_families import TEXT, chat, ends, tokenizer_with

FILM = Path(__file__).parents[2] / "data" / "media" / "colours.mp4"
MARKS = {
    "im_start": "<image>",
    "im_end": "</image>",
    "slice_start": "<slice>",
    "slice_end": "</slice>",
    "audio_start": "<|audio_start|>",
    "audio_end": "<|audio_end|>",
}
QUERIES = 4


def test_sines_and_cosines_by_hand():
    table = sine_positions(2, 3, 8)
    # Two frequencies, 1 and 1/100; column 2, row 1.
    column = [math.sin(2), math.sin(0.02), math.cos(2), math.cos(0.02)]
    row = [math.sin(1), math.sin(0.01), math.cos(1), math.cos(0.01)]
    assert table.shape == (2, 3, 8) and np.allclose(table[1, 2], column + row, atol=1e-6)


@pytest.mark.parametrize("damage", ["zeros", "nan", "one value"])
def test_a_damaged_table_of_positions_is_refused(damage: str):
    table = torch.from_numpy(sine_positions(5, 4, 16))
    resampler = SimpleNamespace(pos_embed=table)
    require_positions(resampler)
    table.view(-1)[slice(None) if damage == "zeros" else 7] = math.nan if damage == "nan" else 0.5
    with pytest.raises(ModelError, match="misread every picture"):
        require_positions(resampler)


def test_whispers_attention_gives_three_values_and_hears_the_same():
    config = WhisperConfig(d_model=16, encoder_attention_heads=2, encoder_layers=1)
    config._attn_implementation = "sdpa"
    torch.manual_seed(0)
    attention = WhisperAttention(embed_dim=16, num_heads=2, config=config, layer_idx=0).eval()
    states = torch.randn(1, 5, 16)
    before = attention(states)
    layer = SimpleNamespace(self_attn=attention)
    mend(SimpleNamespace(apm=SimpleNamespace(layers=[layer])))
    # As the model's code calls it.
    after, weights, cache = layer.self_attn(
        hidden_states=states, attention_mask=None, layer_head_mask=None,
        output_attentions=False, past_key_value=None,
    )  # fmt: skip
    assert torch.equal(before[0], after) and weights is None and cache is None


@pytest.mark.parametrize(
    ("seconds", "positions"),
    [(1.0, 10), (3.25, 32), (9.375, 93), (30.0, 300), (0.09, 1), (0.08, 0)],
)
def test_ten_positions_a_second(seconds: float, positions: int):
    assert positions_of_sound(round(seconds * 16_000)) == positions


def test_recordings_are_cut_at_30_seconds_and_never_merged():
    pieces = list(cut(np.zeros(round(70.05 * 100)), 100, start=5.0))
    assert [(begin, len(piece)) for begin, piece in pieces] == [(5, 3000), (35, 3000), (65, 1005)]
    assert [len(piece) for _, piece in cut(np.zeros(3008), 100)] == [3000]  # 80 ms: no position.


def test_slices_tile_the_picture_row_by_row():
    boxes = slice_boxes((3, 2), 900, 400)  # Three columns, two rows.
    assert boxes[0].tolist() == [0, 0, 900, 400] and len(boxes) == 7
    assert boxes[2].tolist() == [300, 0, 600, 200] and boxes[4].tolist() == [0, 200, 300, 400]
    assert len(slice_boxes(None, 9, 9)) == 1


def test_its_code_runs_only_once_it_is_trusted(tmp_path: Path):
    with pytest.raises(ModelError, match="all the rights of this program"):
        import_code(tmp_path, name="it", trusted=False)
    with pytest.raises(ModelError, match=r"lacks its modelling code: configuration_minicpmo\.py"):
        import_code(tmp_path, name="it", trusted=True)


class Pictures:
    """Slices of two columns beside an overview, as the model's image processor describes them."""

    max_slice_nums, use_image_id = 9, True

    def get_sliced_grid(self, size: tuple[int, int], most: int) -> tuple[int, int] | None:
        return (2, 1) if most > 1 else None

    def get_slice_image_placeholder(
        self, size: tuple[int, int], number: int, most: int, use_id: bool
    ) -> str:
        held = "<unk>" * QUERIES
        sliced = f"<slice>{held}</slice>" * 2 if most > 1 else ""
        return f"{f'#{number} ' if use_id else ''}<image>{held}</image>{sliced}"

    def preprocess(self, images: list, *, max_slice_nums: int, return_tensors: str) -> dict:
        count = 3 if max_slice_nums > 1 else 1
        return {
            "pixel_values": [[torch.zeros(3, 14, 28)] * count],
            "tgt_sizes": [torch.ones(count, 2, dtype=torch.int32)],
        }


class Processor:
    """Pictures, sound and text as the model's processor takes them; its merging is not rebuilt."""

    def __init__(self) -> None:
        self.tokenizer = tokenizer_with("<unk>", *MARKS.values(), template=chat())
        for name, token in MARKS.items():
            setattr(self.tokenizer, name, token)
        self.image_processor = Pictures()
        self._mel = WhisperFeatureExtractor(feature_size=8)

    def get_audio_placeholder(self, samples: int, *, chunk_input: bool) -> str:
        return f"<|audio_start|>{'<unk>' * positions_of_sound(samples)}<|audio_end|>"

    def audio_feature_extract(self, audios, parts, stream: bool, rate: int):
        assert parts is None and not stream  # Else recordings would be merged.
        if audios is None:
            return [], [], []
        made = self._mel(
            audios[0], sampling_rate=rate, return_attention_mask=True, return_tensors="pt"
        )
        return made["input_features"], [made["attention_mask"].sum(1)], []


class Tree(torch.nn.Module):
    """``llm`` and the two embedding calls; piece ``i`` fills its positions with the value ``i``."""

    def __init__(self, tokenizer) -> None:
        super().__init__()
        torch.manual_seed(0)
        config = Qwen3Config(**TEXT, **ends(tokenizer), head_dim=16)
        config.audio_chunk_length = 1.0
        self.llm = Qwen3ForCausalLM(config).eval()
        self.config = self.llm.config

    def get_vllm_embedding(self, data: dict) -> tuple[torch.Tensor, None]:
        embedded = self.llm.model.embed_tokens(data["input_ids"])
        assert len(data["pixel_values"][0]) == len(data["image_bound"][0])
        for number, (start, end) in enumerate(data["image_bound"][0]):
            embedded[0, start:end] = 1 + number
        return embedded, None

    def get_omni_embedding(
        self, data: dict, embedded: torch.Tensor, *, chunk_length: float
    ) -> torch.Tensor:
        assert chunk_length == 1.0
        for number, (start, end) in enumerate(data["audio_bounds"][0]):
            embedded[0, start:end] = -1 - number
        return embedded


@pytest.fixture(scope="module")
def model() -> MiniCPMO45:
    processor = Processor()
    return MiniCPMO45(Tree(processor.tokenizer), processor, name="tree")


@pytest.fixture(scope="module")
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    folder = tmp_path_factory.mktemp("media")
    Image.new("RGB", (90, 40)).save(folder / "a.png")
    soundfile.write(folder / "a.wav", np.ones(round(31.5 * 16_000)) * 0.1, 16_000)
    parts = ["<unk> is <image>no</image> mark", folder / "a.png", folder / "a.wav", FILM, "end"]
    return Prompt.of("Say.", parts)


def test_every_piece_fills_the_positions_that_name_it(model: MiniCPMO45, prompt: Prompt):
    one = model.prepare(prompt, limits=Limits())
    entered = []
    handle = model.text_model.register_forward_pre_hook(
        lambda _, __, kwargs: entered.append(kwargs["inputs_embeds"][0]), with_kwargs=True
    )
    model.start(one).read_prompt()
    handle.remove()
    filled, timeline = entered[0][:, 0], one.timeline
    boxes = {  # Picture: overview, two slices; then the film's frames.
        number: np.unique(timeline.box[(filled == number).numpy()], axis=0).tolist()
        for number in (1, 2, 3)
    }
    assert boxes == {1: [[0, 0, 90, 40]], 2: [[0, 0, 45, 40]], 3: [[45, 0, 90, 40]]}
    first, second = ((filled == -number).numpy() for number in (1, 2))
    assert first.sum() == 300 and second.sum() == 15
    assert np.allclose(timeline.seconds[second][[0, -1]], [[30, 30.1], [31.4, 31.5]])
    frames = timeline.lane == LANES.index("video_frames")
    sound = timeline.lane == LANES.index("video_sound")
    # Frame and sound of the same seconds stand side by side.
    starts = np.unique(timeline.seconds[frames, 0])
    assert len(starts) >= 2 and timeline.seconds[sound, 0].min() == 0
    assert np.flatnonzero(sound)[0] < np.flatnonzero(frames)[-1]
    assert (timeline.part[filled.numpy() == 1] == 1).all()


def test_what_a_person_wrote_holds_no_medium(model: MiniCPMO45, prompt: Prompt):
    one = model.prepare(prompt, limits=Limits())
    held = model.processor.tokenizer.convert_tokens_to_ids("<unk>")
    ids, part = one.inputs["input_ids"][0].numpy(), one.timeline.part
    assert not (ids[(part == 0) | (part == 4)] == held).any()
    assert (part[ids == held] != STRUCTURAL).all()


def test_tokens_are_those_of_generate(model: MiniCPMO45, prompt: Prompt):
    traced = trace(model, prompt, max_new_tokens=5)
    one = model.prepare(prompt, limits=Limits())
    with torch.inference_mode():
        embedded, _ = model.model.get_vllm_embedding(one.inputs)
        embedded = model.model.get_omni_embedding(one.inputs, embedded, chunk_length=1.0)
        plain = model.model.llm.generate(
            inputs_embeds=embedded,
            attention_mask=torch.ones(embedded.shape[:2]),
            max_new_tokens=5,
            do_sample=False,
        )
    assert [token.id for token in traced.tokens] == plain[0].tolist()
    assert np.allclose(
        traced.scores["attmean"].sum(1, dtype=float) + traced.own["attmean"], 1, atol=2e-3
    )


def test_a_processor_of_another_version_is_noticed(
    model: MiniCPMO45, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
):
    """Placeholders that no longer fit their features would shift every second without a word."""
    monkeypatch.setattr(
        model.processor, "get_audio_placeholder",
        lambda samples, chunk_input: f"<|audio_start|>{'<unk>' * 7}<|audio_end|>",
    )  # fmt: skip
    with pytest.raises(ModelError, match=r"7 positions for 300 features.*another version"):
        model.prepare(prompt, limits=Limits())
