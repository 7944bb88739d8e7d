"""Make torchvision's pure-Python transforms importable beside a CPU-only torch.

The torchvision wheel of the package index is linked to CUDA. Beside a CPU-only torch its compiled
part cannot load, so its operators never register, and ``import torchvision`` then fails with
"operator torchvision::nms does not exist", although the video processor needs none of them.
Declaring the two operators first is the cure. Where the compiled part does load, nothing is done.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch


@lru_cache(maxsize=1)
def make_torchvision_importable() -> torch.library.Library | None:
    """Declare the operators if need be; idempotent, and to be called before the first import.

    Returns:
        The library that holds the declarations (they live as long as it does), or ``None`` where
        none were needed: torchvision is not installed, or its compiled part loads.
    """
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None or _compiled_part_loads(Path(spec.origin).parent):
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def _compiled_part_loads(package: Path) -> bool:
    for binary in sorted(package.glob("_C*.so")) or sorted(package.glob("_C*.pyd")):
        try:
            torch.ops.load_library(str(binary))
        except OSError:
            continue
        return True
    return False
