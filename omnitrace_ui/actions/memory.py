"""Memory: whether a failure was the lack of it, and giving back what is no longer used.

Where the machine has no more, Linux ends the whole program with all its visitors. ``bound`` makes
the program's own claim fail before, which costs one visitor one answer.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys

_MARKS = ("can't allocate memory", "cannot allocate memory", "out of memory", "bad_alloc")
"""What PyTorch's CPU allocator and C++ libraries say, in errors that have no type of their own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a failure, or what caused it, was the lack of memory, of the machine or the GPU."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or type(seen).__name__ == "OutOfMemoryError":
            return True
        if isinstance(seen, RuntimeError) and any(m in str(seen).lower() for m in _MARKS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def give_back() -> None:
    """Free what nothing refers to any more, and hand it back to the machine and the GPU."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def bound(gigabytes: int) -> None:
    """Let the program claim at most so much memory beyond its code; 0: no bound. On Linux."""
    if not gigabytes:
        return
    import resource

    most = gigabytes * 2**30
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
