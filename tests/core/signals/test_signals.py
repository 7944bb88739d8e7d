"""AttMean and RawAtt by hand, and the registry."""

import pytest
import torch

from core.errors import InputError
from core.signals.attention import att_mean, raw_att
from core.signals.recorder import StepRecord
from core.signals.registry import SIGNALS, signals_named

RECORD = StepRecord(torch.tensor([[0.1, 0.9, 0.0], [0.3, 0.1, 0.6]]))


def test_attmean_is_the_mean_over_layers():
    assert torch.allclose(att_mean(RECORD), torch.tensor([0.2, 0.5, 0.3]))


def test_rawatt_is_the_last_layer():
    assert torch.equal(raw_att(RECORD), torch.tensor([0.3, 0.1, 0.6]))


def test_signals_come_in_the_order_asked_for_once_each():
    asked = signals_named(["rawatt", "attmean", "rawatt"])
    assert [signal.name for signal in asked] == ["rawatt", "attmean"]
    assert asked[0] is SIGNALS["rawatt"]


@pytest.mark.parametrize("names", [[], ["attmean", "magic"]])
def test_an_unknown_signal_lists_the_known_ones(names: list[str]):
    with pytest.raises(InputError, match="attmean, rawatt"):
        signals_named(names)
