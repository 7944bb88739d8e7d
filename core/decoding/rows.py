"""One signal's scores, growing row by row while the answer does."""

from __future__ import annotations

import numpy as np
import torch

from core.errors import ModelError

_LARGEST = np.float32(np.finfo(np.float16).max)


class Rows:
    """Scores of one signal; rows are written once, so views of earlier ones stay right."""

    def __init__(self, most: int, positions: int) -> None:
        # Untouched pages take no memory: room for the longest answer costs nothing.
        self._scores = np.empty((most, positions), np.float16)
        self._own = np.empty(most, np.float32)

    def put(self, index: int, scores: torch.Tensor) -> None:
        """Write one token's scores ``(n_positions,)`` over prompt and answer so far.

        Raises:
            ModelError: they are no numbers; no trace could hold them.
        """
        values = scores.cpu().numpy()
        if np.isnan(values).any():
            raise ModelError(
                f"At token {index + 1} of the answer the model's attention is no number any more: "
                "its weights overflow, most often in float16. Load it with dtype 'bfloat16' or "
                "'float32'."
            )
        positions = self._scores.shape[1]
        # A gradient may be larger than float16 can say; nothing else of a signal is.
        np.minimum(values[:positions], _LARGEST, out=self._scores[index])
        self._own[index] = np.minimum(values[positions:], _LARGEST).sum()

    def upto(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The first ``count`` tokens' scores over the prompt, and sums over the answer."""
        return _read_only(self._scores[:count]), _read_only(self._own[:count])


def _read_only(view: np.ndarray) -> np.ndarray:
    view.flags.writeable = False
    return view
