"""What transformers 5 breaks in code written for 4.51, mended from outside and verified.

1. Whisper's attention returns two values; the code unpacks three.
2. ``from_pretrained`` builds a model without memory first, and the resampler's positions, which no
   file holds, are then left as they were found: zeros or NaN. Pictures would be misread without a
   word. So the model is built in memory, and the positions are compared with a recomputation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers.models.whisper.modeling_whisper import WhisperAttention

from core.errors import ModelError

TOLERANCE = 1e-5


class ThreeValuedAttention(WhisperAttention):
    """Whisper's attention as transformers 4.51 called it, without a cache."""

    def forward(
        self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, **unused: Any
    ) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        """Attention output, weights or ``None``, and no cache."""
        output = super().forward(hidden_states, attention_mask=attention_mask)
        return output[0], output[1], None


def mend(model: torch.nn.Module) -> None:
    """Make a model that was built in memory run under transformers 5; idempotent.

    Raises:
        ModelError: the resampler's positions are not what they must be.
    """
    if hasattr(model, "apm"):
        for layer in model.apm.layers:
            layer.self_attn.__class__ = ThreeValuedAttention
    if hasattr(model, "resampler"):
        require_positions(model.resampler)


def require_positions(resampler: torch.nn.Module) -> None:
    """Compare the resampler's table of positions with a recomputation.

    Raises:
        ModelError: they differ, or the table has another shape.
    """
    table = resampler.pos_embed.float().cpu().numpy()
    height, width, size = table.shape
    expected = sine_positions(height, width, size)
    if not np.allclose(table, expected, atol=TOLERANCE):  # NaN is close to nothing.
        raise ModelError(
            "The positions of the model's picture reader are damaged, so it would misread every "
            "picture. Load the model anew; if that does not help, report it with the version of "
            "transformers."
        )


def sine_positions(height: int, width: int, size: int) -> np.ndarray:
    """Sines and cosines of column and row (Vaswani et al. 2017, in two dimensions).

    Returns:
        float32 ``(height, width, size)``: a quarter each of sin(column), cos(column), sin(row),
        cos(row), at ``size / 4`` frequencies from 1 down to 1/10000.
    """
    quarter = size // 4
    frequency = 1.0 / 10000 ** (np.arange(quarter) / quarter)
    column = np.arange(width)[None, :, None] * frequency + np.zeros((height, 1, 1))
    row = np.arange(height)[:, None, None] * frequency + np.zeros((1, width, 1))
    parts = [np.sin(column), np.cos(column), np.sin(row), np.cos(row)]
    return np.concatenate(parts, axis=-1).astype(np.float32)
