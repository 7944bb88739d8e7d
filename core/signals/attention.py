"""AttMean and RawAtt (section 3.2): scores straight from the attention rows of one step."""

from __future__ import annotations

import torch

from core.signals.recorder import StepRecord


def att_mean(step: StepRecord) -> torch.Tensor:
    """AttMean: attention averaged over all layers and heads; float32 ``(n_positions,)``."""
    return step.rows.mean(0)


def raw_att(step: StepRecord) -> torch.Tensor:
    """RawAtt: attention of the last layer, averaged over heads; float32 ``(n_positions,)``."""
    return step.rows[-1]
