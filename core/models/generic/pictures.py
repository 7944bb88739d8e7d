"""Pictures: which pixels of the original each position shows; one rule a way of cutting them up.

Where an encoder mixes all patches (every vision transformer does), a position stands for the patch
that it was made from.
"""

from __future__ import annotations

import re

import numpy as np

from core.models.generic.places import Item, Places
from core.models.geometry import cropped_boxes, patch_boxes


def merged_patches(item: Item) -> Places:
    """Qwen-VL: a resized picture's patches, ``merge_size`` × ``merge_size`` of them a position."""
    merge = item.processor.image_processor.merge_size
    _, rows, columns = item.tensors["image_grid_thw"][item.index].tolist()
    return Places.of(item.count, box=patch_boxes(rows // merge, columns // merge, *item.size))


def square_grid(item: Item) -> Places:
    """Gemma 3n and others: the picture stretched to a square of n × n positions."""
    side = int(item.count**0.5)
    return Places.of(item.count, box=patch_boxes(side, side, *item.size))


def pooled_patches(item: Item) -> Places:
    """Gemma 4: patches of a resized picture, pooled by squares; padding has position -1."""
    pool = item.processor.image_processor.pooling_kernel_size
    columns, rows = (item.tensors["image_position_ids"][item.index].amax(0) + 1).tolist()
    return Places.of(item.count, box=patch_boxes(rows // pool, columns // pool, *item.size))


def centre_crop(item: Item) -> Places:
    """LLaVA-1.5: shorter side resized, the centre cut out, its patches row by row.

    What the crop leaves out has no position; where it reaches beyond the picture, boxes end at
    the picture's edge.
    """
    settings, (width, height) = item.processor.image_processor, item.size
    scale = settings.size["shortest_edge"] / min(width, height) if settings.do_resize else 1.0
    resized = int(width * scale), int(height * scale)
    crop = settings.crop_size
    seen = (crop["width"], crop["height"]) if settings.do_center_crop else resized
    left, top = ((whole - part) // 2 for whole, part in zip(resized, seen, strict=True))
    patch = item.processor.patch_size
    box = cropped_boxes(
        seen[1] // patch, seen[0] // patch, width, height,
        cell=(patch * width / resized[0], patch * height / resized[1]),
        start=(left * width / resized[0], top * height / resized[1]),
    )  # fmt: skip
    extra = item.count - len(box)  # A class token stands first, and shows everything.
    return Places.of(item.count, box=np.concatenate([_whole(item, extra), box]))


_TILE = re.compile(r"<row_(\d+)_col_(\d+)>")


def tiles_then_whole(item: Item) -> Places:
    """SmolVLM, Idefics3: tiles of a stretched picture, each a square raster, then all of it once.

    The processor writes every tile's row and column into the prompt.
    """
    tiles = [(int(r) - 1, int(c) - 1) for r, c in _TILE.findall(item.expansion)]
    per_tile = item.count // (len(tiles) + 1)
    side = int(per_tile**0.5)
    rows, columns = np.max(tiles, axis=0) + 1 if tiles else (1, 1)
    width, height = item.size
    raster = patch_boxes(side, side, width / columns, height / rows)
    boxes = [
        raster + np.float32([column * width / columns, row * height / rows] * 2)
        for row, column in tiles
    ]
    return Places.of(
        item.count, box=np.concatenate([*boxes, patch_boxes(side, side, width, height)])
    )


def tiles_then_global(item: Item) -> Places:
    """Phi-4-multimodal: the padded picture row by row, a separator, then all of it once, coarsely.

    Each row ends in a line break that shows nothing. The picture stands at the top left of its
    padding; positions that are all padding are left out of the fine raster, not of the coarse one.
    """
    settings = item.processor.image_processor
    crop, cell = settings.size["height"], 2 * settings.patch_size
    base = crop // cell
    high, wide = item.tensors["image_sizes"][item.index].tolist()
    (width, height), (rows, columns) = item.size, _unpadded(item, base, high // crop, wide // crop)
    scale = min(wide / width, high / height)
    fine = cropped_boxes(rows, columns, width, height, cell=(cell / scale, cell / scale))
    coarse_cell = (wide / base / scale, high / base / scale)
    coarse = cropped_boxes(base, base, width, height, cell=coarse_cell)
    box = np.full((item.count, 4), np.nan, np.float32)
    shown = np.zeros(item.count, bool)
    split = rows * (columns + 1) + 1
    for start, boxes, across in ((0, fine, columns), (split, coarse, base)):
        at = start + np.arange(len(boxes)) + np.arange(len(boxes)) // across
        box[at] = boxes
        shown[at] = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
    box[~shown] = np.nan
    return Places.of(item.count, shown=shown, box=box)


def _unpadded(item: Item, base: int, down: int, across: int) -> tuple[int, int]:
    """Rows and columns of the fine raster that hold some of the picture, as the model counts."""
    mask = item.tensors["image_attention_mask"][item.index, 1 : down * across + 1, ::2, ::2]
    joined = mask.reshape(down, across, base, base).transpose(1, 2)
    whole = joined.reshape(down * base, across * base)
    return int(whole[:, 0].sum()), int(whole[0].sum())


def _whole(item: Item, count: int) -> np.ndarray:
    return np.tile(np.float32([0, 0, *item.size]), (count, 1))
