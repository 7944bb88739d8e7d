"""The GPU bench's script runs through at small shapes; without a GPU it says so otherwise."""

import json

import pytest
import torch

from core.benchmarks import gpu
from core.errors import ModelError

pytestmark = pytest.mark.benchmark


def test_every_way_runs_at_small_shapes(capsys: pytest.CaptureFixture[str]):
    assert gpu.run(json=True, tiny=True) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 2 * 5 and all(row["tokens_per_s"] > 0 for row in rows)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what a machine without CUDA is told")
def test_without_a_gpu_it_says_so():
    with pytest.raises(ModelError, match=r"needs a CUDA GPU .* `--tiny` runs the script"):
        gpu.run(json=True)
