"""What runs do to transformers' caches, whatever the family."""

from __future__ import annotations

import copy

from transformers import DynamicCache


def hold_constant(cache: DynamicCache) -> None:
    """Cut the cache off the graph of the step that has just filled it: it is constant from now on.

    Else the graph would reach back to the beginning of the answer, and keep all of it.
    """
    for layer in cache.layers:
        if getattr(layer, "keys", None) is None:  # Of a hybrid model: a layer without attention.
            continue
        layer.keys, layer.values = layer.keys.detach(), layer.values.detach()


def repeated(cache: DynamicCache, times: int) -> DynamicCache:
    """A copy of a cache, ``times`` over in its batch dimension; the original is left alone."""
    twin = copy.deepcopy(cache)
    twin.batch_repeat_interleave(times)
    return twin


def size(cache: DynamicCache) -> int:
    """Bytes that the keys and values take."""
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
