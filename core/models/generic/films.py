"""Films: which seconds and pixels each position of their pictures shows."""

from __future__ import annotations

import numpy as np

from core.models.generic.places import Item, Places
from core.models.geometry import frame_seconds, patch_boxes


def merged_patches(item: Item) -> Places:
    """Qwen-VL: steps of ``temporal_patch_size`` frames, each a raster of merged patches."""
    settings = item.processor.video_processor
    _, rows, columns = item.tensors["video_grid_thw"][item.index].tolist()
    merge = settings.merge_size
    boxes = patch_boxes(rows // merge, columns // merge, *item.size)
    return _rasters(item, boxes, settings.temporal_patch_size)


def pooled_patches(item: Item) -> Places:
    """Gemma 4: frame by frame, each a raster of pooled patches."""
    pool = item.processor.video_processor.pooling_kernel_size
    before = int(item.tensors["num_frames_per_video"][: item.index].sum())
    columns, rows = (item.tensors["video_position_ids"][before].amax(0) + 1).tolist()
    return _rasters(item, patch_boxes(rows // pool, columns // pool, *item.size), 1)


def square_frames(item: Item) -> Places:
    """SmolVLM: frame by frame, each stretched to a square raster."""
    side = int((item.count // len(item.decoded.times)) ** 0.5)
    return _rasters(item, patch_boxes(side, side, *item.size), 1)


def _rasters(item: Item, boxes: np.ndarray, per_step: int) -> Places:
    seconds = frame_seconds(item.decoded.times, item.decoded.end, per_step=per_step)
    return Places.of(
        item.count,
        seconds=np.repeat(seconds, len(boxes), axis=0),
        box=np.tile(boxes, (len(seconds), 1)),
    )
