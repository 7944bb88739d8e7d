"""Train the embedded model: ``python -m core.world.train --out assets/embedded``.

Three stages: written words (restating, copying and looking up); the audio tower by itself
(``core.world.hearing``); everything. Two processes of one thread each share a step (``--workers``).
A checkpoint with optimiser state is written every three minutes to ``--work`` and ``--resume``
goes on from it; the model in ``--out`` is usable at any time. Hidden matrices take Muon, the rest
AdamW; the learning rate is flat and falls over the last quarter, so training can be prolonged
(``--init`` starts the last stage from exported weights). Needs Debian's espeak-ng, ffmpeg and
fonts-noto-color-emoji.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F  # noqa: N812
from transformers import PreTrainedTokenizerFast, Qwen2_5OmniThinkerForConditionalGeneration

from core.world import wording
from core.world.bank import Bank, load_bank
from core.world.batch import HEAD, TAIL, Encoder, collate
from core.world.checkpoint import export, train_tokenizer, untrained
from core.world.compose import FAMILIES, Stock, compose
from core.world.hearing import train_hearing
from core.world.words import COLOURS, DAYS, PEOPLE, PLURALS, THINGS

ROWS = {"text": 64, "pic": 28, "speech": 32, "film": 24, "av": 14, "choice": 80, "drill": 64}
"""Scenarios a step, by family: about as many positions in each."""

READING = {"text": 2, "pic": 1, "film": 0.3, "choice": 1.5, "drill": 5}
EVERYTHING = {
    "text": 1.5,
    "pic": 1.8,
    "speech": 2.6,
    "film": 1,
    "av": 1.6,
    "choice": 1.5,
    "drill": 0.7,
}
"""How often each family is drawn, in the first stage and in the last."""

HEARING_FROM, HEARING_SHARE = 0.2, 0.12
"""When the audio tower is taught by itself, and for how long, in shares of all minutes."""

RATES = (0.012, 0.002)
"""Learning rates of Muon and of AdamW."""

WARM_UP = 200
SAVE_SECONDS = 180


@dataclass(frozen=True)
class Plan:
    """What a run was asked for."""

    minutes: float
    work: Path
    out: Path
    init: Path | None
    resume: bool
    workers: int
    pictures: int
    utterances: int


def corpus(stock: Stock, count: int = 6_000) -> list[str]:
    """What the tokenizer learns its words from."""
    rng = random.Random(5)
    lines = [HEAD + TAIL] * 100
    for family in FAMILIES:
        for _ in range(count):
            scenario = compose(rng, stock, family)
            lines += [f"{scenario.instruction}\n", scenario.answer]
            lines += [f"{piece}\n" for piece in scenario.pieces if isinstance(piece, str)]
    words = [*THINGS, *PLURALS.values(), *PEOPLE, *DAYS, *COLOURS]
    lines += [f"{word}\n" for word in words for _ in range(40)]
    lines += [f"{letter}. {word}\n" for letter in "ABCD" for word in words for _ in range(15)]
    lines += [*wording.EVERYTHING, *wording.CHOICE] * 40
    return lines


def weighted_loss(
    model: Qwen2_5OmniThinkerForConditionalGeneration,
    inputs: dict[str, torch.Tensor],
    weights: torch.Tensor,
) -> torch.Tensor:
    """Cross-entropy of the answer's tokens alone; the head is computed nowhere else."""
    hidden = model.model(**inputs, use_cache=False).last_hidden_state
    wanted = weights[:, 1:] > 0
    logits = model.lm_head(hidden[:, :-1][wanted]).float()
    losses = F.cross_entropy(logits, inputs["input_ids"][:, 1:][wanted], reduction="none")
    share = weights[:, 1:][wanted]
    return (losses * share).sum() / share.sum()


def optimisers(model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings, convolutions, norms and biases."""
    hidden = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    known = {id(p) for p in hidden}
    rest = [p for p in model.parameters() if id(p) not in known]
    return [
        torch.optim.Muon(
            hidden, lr=RATES[0], momentum=0.95, weight_decay=0.01, adjust_lr_fn="original"
        ),
        torch.optim.AdamW(rest, lr=RATES[1], betas=(0.9, 0.98), weight_decay=0.0),
    ]


class Run:
    """One process of a run."""

    def __init__(self, plan: Plan, rank: int, bank: Bank) -> None:
        self.plan, self.rank, self.bank = plan, rank, bank
        self.step, self.spent, self.since = 0, 0.0, time.monotonic()
        self.hears = plan.init is not None
        tokenizer_path = plan.init or plan.work / "tokenizer"
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_path)
        self.encoder = Encoder(self.tokenizer, bank)
        self.model = (
            Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(
                plan.init, dtype=torch.float32
            )
            if plan.init
            else untrained(self.tokenizer)
        )
        self.optimisers = optimisers(self.model)
        if plan.resume:
            self._load()
        seed = plan.workers * self.step
        self.shared, self.own = random.Random(100 + self.step), random.Random(seed + rank + 1)

    def train(self) -> None:
        """Step until the minutes are spent."""
        self.model.train()
        saved = time.monotonic()
        while (minutes := self._minutes()) < self.plan.minutes:
            if not self.hears and minutes > HEARING_FROM * self.plan.minutes:
                self._learn_to_hear()
            mix = EVERYTHING if self.hears else READING
            (family,) = self.shared.choices(list(mix), list(mix.values()))
            loss = self._step(family, minutes)
            if self.rank == 0:
                if self.step % 20 == 0:
                    print(f"step {self.step} · {minutes:.1f} min · {family} {loss:.3f}", flush=True)
                if time.monotonic() - saved > SAVE_SECONDS:
                    self.save()
                    saved = time.monotonic()
        if self.rank == 0:
            self.save()

    def save(self) -> None:
        """Write checkpoint and model; a kill at any moment leaves the earlier ones whole."""
        state = {
            "model": self.model.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step,
            "seconds": self.spent + time.monotonic() - self.since,
            "hears": self.hears,
        }
        temporary = self.plan.work / "checkpoint.tmp"
        torch.save(state, temporary)
        temporary.replace(self.plan.work / "checkpoint.pt")
        export(self.model, self.tokenizer, self.plan.out)

    def _load(self) -> None:
        state = torch.load(self.plan.work / "checkpoint.pt", weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.spent, self.hears = state["step"], state["seconds"], state["hears"]

    def _learn_to_hear(self) -> None:
        """One process teaches the audio tower; the others take over what it learned."""
        if self.rank == 0:
            share = HEARING_SHARE * self.plan.minutes
            train_hearing(self.model, self.tokenizer, self.bank, minutes=share)
        if self.plan.workers > 1:
            for parameter in self.model.model.audio_tower.parameters():
                dist.broadcast(parameter.data, 0)
        self.hears = True

    def _minutes(self) -> float:
        """Minutes spent, the first process's clock for all."""
        now = torch.tensor([self.spent + time.monotonic() - self.since], dtype=torch.float64)
        if self.plan.workers > 1:
            dist.broadcast(now, 0)
        return now.item() / 60

    def _step(self, family: str, minutes: float) -> float:
        left = (self.plan.minutes - minutes) / (0.25 * self.plan.minutes)
        scale = min(1.0, (self.step + 1) / WARM_UP) * min(1.0, max(0.02, left))
        for optimiser, rate in zip(self.optimisers, RATES, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * scale
            optimiser.zero_grad()
        rows = [
            self.encoder.encode(compose(self.own, self.bank.stock, family), self.own)
            for _ in range(ROWS[family] // self.plan.workers)
        ]
        loss = weighted_loss(self.model, *collate(rows))
        loss.backward()
        self._share_gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        return loss.item()

    def _share_gradients(self) -> None:
        # One flat exchange: the towers that a family does not use have no gradient of their own.
        if self.plan.workers == 1:
            return
        parameters = list(self.model.parameters())
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.plan.workers
        for parameter, part in zip(
            parameters, flat.split([p.numel() for p in parameters]), strict=True
        ):
            parameter.grad = part.view_as(parameter)


def _bank(plan: Plan) -> Bank:
    return load_bank(
        plan.work,
        pictures=plan.pictures,
        utterances=plan.utterances,
        workers=plan.workers,
    )


def _process(rank: int, plan: Plan) -> None:
    torch.set_num_threads(1)
    if plan.workers > 1:
        dist.init_process_group("gloo", rank=rank, world_size=plan.workers)
    bank = _bank(plan)
    Run(plan, rank, bank).train()
    if plan.workers > 1:
        dist.destroy_process_group()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=90, help="in all, resumed ones included")
    parser.add_argument("--work", type=Path, default=Path("training"), help="caches, checkpoints")
    parser.add_argument("--out", type=Path, default=Path("assets/embedded"))
    parser.add_argument("--init", type=Path, help="start from these exported weights")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--pictures", type=int, default=16_000)
    parser.add_argument("--utterances", type=int, default=8_200)
    plan = Plan(**vars(parser.parse_args(argv)))
    bank = _bank(plan)
    if plan.init is None and not (plan.work / "tokenizer").exists():
        train_tokenizer(corpus(bank.stock)).save_pretrained(plan.work / "tokenizer")
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29511")
    if plan.workers == 1:
        _process(0, plan)
    else:
        mp.spawn(_process, (plan,), nprocs=plan.workers)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
