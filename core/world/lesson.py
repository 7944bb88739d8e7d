"""A lesson: steps of one optimiser until the minutes are spent, in one process or shared by two.

The learning rate rises over the first steps, is flat, and falls over the last third. A checkpoint
with the optimiser's state is written every few minutes; a kill at any moment leaves the earlier
one whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist

RATE = 0.0012
WARM_UP = 100
SAVE_SECONDS = 180


class Lesson:
    """A model in training.

    Attributes:
        step: steps taken, those before a resumption included.
        minutes, spent: how long the lesson is, and how much of it is over.
    """

    def __init__(
        self, model: torch.nn.Module, *, minutes: float, checkpoint: Path, shared: bool
    ) -> None:
        self.model, self.minutes = model, minutes
        self.step = 0
        self._checkpoint, self._shared = checkpoint, shared
        self._seconds, self._since = 0.0, time.monotonic()
        self._optimiser = torch.optim.AdamW(
            model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01
        )

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if self._checkpoint.exists():
            state = torch.load(self._checkpoint, weights_only=True)
            self.model.load_state_dict(state["model"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step, self._seconds = state["step"], state["seconds"]

    @property
    def spent(self) -> float:
        """Minutes; where a lesson is shared, the first process's clock counts for all."""
        now = torch.tensor(self._seconds + time.monotonic() - self._since, dtype=torch.float64)
        if self._shared:
            dist.broadcast(now, 0)
        return now.item() / 60

    def run(self, loss: Callable[[], torch.Tensor], on_save: Callable[[], None]) -> None:
        """Step until the minutes are spent; ``on_save`` follows every checkpoint."""
        self.model.train()
        saved = time.monotonic()
        while (spent := self.spent) < self.minutes:
            value = self._take(loss(), spent)
            if self.step % 50 == 0:
                name = self._checkpoint.stem
                print(f"{name} {self.step} · {spent:.1f} min · {value:.3f}", flush=True)
            if time.monotonic() - saved > SAVE_SECONDS:
                self.save()
                on_save()
                saved = time.monotonic()
        self.save()
        on_save()

    def save(self) -> None:
        """Write the checkpoint; of a shared lesson, the first process does."""
        if self._shared and dist.get_rank() != 0:
            return
        state = {
            "model": self.model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "seconds": self._seconds + time.monotonic() - self._since,
        }
        temporary = self._checkpoint.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(self._checkpoint)

    def _take(self, loss: torch.Tensor, spent: float) -> float:
        left = (self.minutes - spent) / (self.minutes / 3)
        for group in self._optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (self.step + 1) / WARM_UP) * min(1.0, max(0.02, left))
        self._optimiser.zero_grad()
        loss.backward()
        if self._shared:
            self._average_gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        return loss.item()

    def _average_gradients(self) -> None:
        # One flat exchange: the towers that a family does not use have no gradient of their own.
        parameters = list(self.model.parameters())
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        sizes = [parameter.numel() for parameter in parameters]
        for parameter, part in zip(parameters, flat.split(sizes), strict=True):
            parameter.grad = part.view_as(parameter)
