"""Voxtral (Liu et al. 2025): a stand-in for its processor, without the package mistral-common.

The published processor leaves chats to mistral-common, whose tokenizer does not say which
characters a token reads, and reports no replacements. Its vocabulary file (``tekken.json``) is one
that transformers itself converts, and a chat is plain (read from mistral-common 1.13, instruct
tokenizer 7): ``<s>[INST]``, the parts one after another, ``[/INST]``; a recording is
``[BEGIN_AUDIO]`` and an ``[AUDIO]`` for every 80 ms, its silence up to whole 30 seconds included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast, WhisperFeatureExtractor

_NAMED = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
"""The vocabulary file does not say what its control tokens are for."""

CHUNK_SECONDS = 30
POSITIONS_A_CHUNK = 375


class VoxtralProcessor:
    """What ``core.models.generic`` asks of a processor; see there.

    Args:
        tokenizer: with Voxtral's control tokens.
        feature_extractor: Whisper's, for chunks of 30 seconds.
    """

    chat_template = "written out in apply_chat_template"
    image_token_ids: tuple[int, ...] = ()
    video_token_ids: tuple[int, ...] = ()

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, feature_extractor: WhisperFeatureExtractor
    ) -> None:
        self.tokenizer = tokenizer
        self._audio_processor = feature_extractor
        self.audio_token = "[AUDIO]"
        self.audio_token_ids = (tokenizer.convert_tokens_to_ids(self.audio_token),)

    @classmethod
    def from_folder(cls, folder: Path) -> VoxtralProcessor:
        """Read a checkpoint's vocabulary and the settings of its features.

        Raises:
            OSError, ValueError: files are missing or do not fit.
        """
        return cls(
            PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True, **_NAMED),
            WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True),
        )

    def apply_chat_template(self, messages: Sequence[Mapping[str, Any]], **_: Any) -> str:
        """One user's turn as markup, with a placeholder for every recording."""
        (message,) = messages
        place = f"[BEGIN_AUDIO]{self.audio_token}"
        content = "".join(item.get("text", place) for item in message["content"])
        return f"<s>[INST]{content}[/INST]"

    def __call__(
        self, *, text: Sequence[str], audio: Sequence[np.ndarray] = (), **_: Any
    ) -> dict[str, Any]:
        """Ids, features, and what stands in the place of each placeholder."""
        (markup,) = text
        features = [self._features(samples) for samples in audio]
        expansions = [self.audio_token * (len(one) * POSITIONS_A_CHUNK) for one in features]
        reported, expanded, at = [], "", 0
        for expansion in expansions:
            start = markup.index(self.audio_token, at)
            end = start + len(self.audio_token)
            reported.append({"type": "audio", "span": (start, end), "replacement": expansion})
            expanded += markup[at:start] + expansion
            at = end
        ids = self.tokenizer(expanded + markup[at:], add_special_tokens=False)["input_ids"]
        read = {"input_ids": torch.tensor([ids]), "text_replacement_offsets": [reported]}
        return read | ({"input_features": torch.cat(features)} if features else {})

    def _features(self, samples: np.ndarray) -> torch.Tensor:
        """Of one recording: ``(n_chunks, n_mels, frames of 30 seconds)``."""
        rate = self._audio_processor.sampling_rate
        whole = self._audio_processor(
            samples,
            sampling_rate=rate,
            padding=True,
            truncation=False,
            pad_to_multiple_of=CHUNK_SECONDS * rate,
            return_tensors="pt",
        )["input_features"][0]
        frames = CHUNK_SECONDS * rate // self._audio_processor.hop_length
        return whole.unflatten(1, (-1, frames)).transpose(0, 1)
