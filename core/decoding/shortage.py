"""Memory that ran out: how to know it, and what to say of it.

Whoever allocates says it in a way of its own: torch on CUDA by a class, torch on a CPU by words,
Python and numpy by ``MemoryError``.
"""

from __future__ import annotations

import torch

from core.prompt import Prompt
from core.signals.needs import Needs

_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "out of memory",
    "alloc_failed",
)


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(w in str(error).lower() for w in _WORDS)


def before_the_answer(positions: int, advice: str) -> str:
    """No token was there: ``positions`` of the prompt, 0 if it was not even laid out."""
    what = f"the prompt of {positions:,} positions" if positions else "the prompt"
    return f"Memory ran out while {what} was read. {advice}"


def after_tokens(count: int, advice: str) -> str:
    """The answer was cut short; what is there is kept."""
    return f"Memory ran out after {count:,} token{'s' * (count != 1)}, which are kept. {advice}"


def while_verifying(advice: str) -> str:
    """The answer is whole, and was not compared with the untraced one."""
    return f"Memory ran out while the answer was verified, so it was not. {advice}"


def advice(prompt: Prompt, needs: Needs) -> str:
    """What would take less, of what applies."""
    kinds = {part.kind for _, part in prompt.media}
    ways = ["fewer or shorter parts"]
    if "video" in kinds:
        ways.append("fewer frames of a film (the setting `video_frames`)")
    if needs.gradients:
        ways.append("a signal without gradients, such as attmean")
    elif needs.heads != "none":
        ways.append("a signal that needs no row of every head, such as attmean")
    ways.append("a smaller or quantised model")
    return f"Use {', '.join(ways[:-1])}, or {ways[-1]}."
