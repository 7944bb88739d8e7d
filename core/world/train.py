"""Train the embedded model: ``python -m core.world.train --out assets/embedded``.

Two lessons at once, one a process: the text model *reads* (copying, looking up, restating), and
the towers learn words by themselves (``core.world.towers``). Then *everything*, both processes
sharing every step. ``--resume`` goes on from the checkpoints in ``--work``; the model in ``--out``
is usable at any time; ``--init`` starts the last lesson from exported weights. Needs Debian's
espeak-ng, ffmpeg and fonts-noto-color-emoji.
"""

from __future__ import annotations

import argparse
import os
import random
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
from core.world.batch import HEAD, TAIL, Encoded, Encoder, collate, positions_of
from core.world.checkpoint import export, train_tokenizer, untrained
from core.world.compose import FAMILIES, Stock, compose
from core.world.lesson import Lesson
from core.world.lookup import Decoys, hidden, unseen
from core.world.towers import Teacher
from core.world.words import COLOURS, DAYS, PEOPLE, PLURALS, THINGS

ROWS = {
    "echo": 24, "text": 16, "choice": 16, "drill": 16, "pic": 12, "speech": 8, "film": 10, "av": 5
}  # fmt: skip
"""Scenarios a step and process, by family: about as many positions in each."""

READING = {"text": 2, "choice": 1.5, "drill": 2}
EVERYTHING = {
    "text": 2.2, "choice": 0.3, "drill": 1, "pic": 2, "speech": 2.4, "film": 1.8, "av": 2.2
}  # fmt: skip
"""How often each family is drawn, in either lesson."""

ECHO_STEPS = 900
"""Reading begins with nothing but copying: all else stands on it."""

READING_SHARE = 0.17
"""The part of all minutes that the first lessons take."""

TEACHER_WEIGHT = 0.3

POOL = 6
"""So many steps' scenarios are drawn at once and put in batches of like length."""


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
    lines += [f"{letter}. {word}\n" for letter in "ABCDE" for word in words for _ in range(15)]
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


class Feed:
    """Random batches of a family, their rows of like length.

    Processes that share their steps are given the same ``order``: their batches are then as long
    as each other's, and none waits.
    """

    def __init__(self, encoder: Encoder, rng: random.Random, order: random.Random) -> None:
        self._encoder, self._rng, self._order = encoder, rng, order
        self._decoys = Decoys(encoder)
        self._pools: dict[str, list[list[Encoded]]] = {}

    def next(self, family: str) -> list[Encoded]:
        """One batch."""
        if not self._pools.get(family):
            count = ROWS[family]
            drawn = (self._draw(family) for _ in range(POOL * count))
            rows = sorted(drawn, key=lambda row: len(row.ids))
            pool = [rows[at : at + count] for at in range(0, len(rows), count)]
            self._order.shuffle(pool)
            self._pools[family] = pool
        return self._pools[family].pop()

    def _draw(self, family: str) -> Encoded:
        if family == "echo":
            return self._encoder.echo(self._rng)
        scenario = compose(self._rng, self._encoder.bank.stock, family)
        return self._decoys.add(self._encoder.encode(scenario, self._rng), self._rng)


class Trainer:
    """One process of a run: a model, and what each lesson asks of it."""

    def __init__(self, plan: Plan, rank: int, bank: Bank) -> None:
        self.plan, self.rank, self.bank = plan, rank, bank
        folder = plan.init or plan.work / "tokenizer"
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        if plan.init:
            self.model = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(
                plan.init, dtype=torch.float32
            )
        else:
            self.model = untrained(self.tokenizer)
        self.teacher = Teacher(self.model, self.tokenizer)
        self.encoder = Encoder(self.tokenizer, bank)
        self._outputs: dict[str, torch.Tensor] = {}
        for name in ("audio_tower", "visual"):
            getattr(self.model.model, name).register_forward_hook(self._keep(name))

    def train(self) -> None:
        """All lessons, in turn or two at once."""
        share = 0.0 if self.plan.init else READING_SHARE * self.plan.minutes
        if share and not (self.plan.resume and self._path("everything").exists()):
            if self.rank == 0:
                self.read(share)
            if self.rank == self.plan.workers - 1:
                self.train_towers(share)
            self._unite()
        self.everything(self.plan.minutes - share)

    def read(self, minutes: float) -> None:
        """The text model by itself."""
        lesson = self._lesson("reading", minutes)
        feed, rng = self._feed(lesson), random.Random(lesson.step)

        def loss() -> torch.Tensor:
            echo = lesson.step < ECHO_STEPS
            family = "echo" if echo else rng.choices([*READING], [*READING.values()])[0]
            return weighted_loss(self.model, *collate(feed.next(family)))

        lesson.run(loss, self._export)

    def train_towers(self, minutes: float) -> None:
        """The towers by themselves."""
        lesson = self._lesson("towers", minutes)
        rng = random.Random(11 + lesson.step)
        lesson.run(lambda: self.teacher.lesson(self.bank, rng), lambda: None)

    def everything(self, minutes: float) -> None:
        """The whole model, on all that it will be asked."""
        lesson = self._lesson("everything", minutes, shared=self.plan.workers > 1)
        feed = self._feed(lesson)
        same = random.Random(100 + lesson.step)  # Both processes draw the same family.

        def loss() -> torch.Tensor:
            rows = feed.next(same.choices([*EVERYTHING], [*EVERYTHING.values()])[0])
            self._outputs.clear()
            with unseen(self.model.model.language_model, hidden(rows)):
                loss = weighted_loss(self.model, *collate(rows))
            return loss + TEACHER_WEIGHT * self._taught(rows)

        lesson.run(loss, self._export)

    def _taught(self, rows: Sequence[Encoded]) -> torch.Tensor:
        """The teacher's losses of what the towers just gave."""
        total = torch.zeros(())
        if sounds := [mel for row in rows for mel in row.sounds]:
            said = [words for row in rows for words in row.said]
            lengths = [positions_of(mel) for mel in sounds]
            total = total + self.teacher.hearing(self._outputs["audio_tower"], lengths, said)
        # Pictures and films never share a batch: a family has one or the other, or films last.
        shown = [picture for row in rows for picture in row.filmed or row.shown]
        if shown:
            total = total + self.teacher.seeing(self._outputs["visual"], shown)
        return total

    def _keep(self, name: str):
        def hook(_module, _inputs, output) -> None:
            pooled = getattr(output, "pooler_output", None)
            self._outputs[name] = output.last_hidden_state if pooled is None else pooled

        return hook

    def _lesson(self, name: str, minutes: float, *, shared: bool = False) -> Lesson:
        lesson = Lesson(self.model, minutes=minutes, checkpoint=self._path(name), shared=shared)
        if self.plan.resume:
            lesson.resume()
        return lesson

    def _path(self, name: str) -> Path:
        return self.plan.work / f"{name}.pt"

    def _feed(self, lesson: Lesson) -> Feed:
        own, order = random.Random(2 * lesson.step + self.rank), random.Random(lesson.step)
        return Feed(self.encoder, own, order)

    def _unite(self) -> None:
        """Every process takes the text model of the first and the towers of the last."""
        if self.plan.workers == 1:
            return
        for name, parameter in self.model.named_parameters():
            tower = "audio_tower" in name or "visual" in name
            dist.broadcast(parameter.data, self.plan.workers - 1 if tower else 0)

    def _export(self) -> None:
        if self.rank == 0:
            export(self.model, self.tokenizer, self.plan.out)


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
    Trainer(plan, rank, _bank(plan)).train()
    if plan.workers > 1:
        dist.destroy_process_group()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=120, help="in all, resumed ones included")
    parser.add_argument("--work", type=Path, default=Path("training"), help="caches, checkpoints")
    parser.add_argument("--out", type=Path, default=Path("assets/embedded"))
    parser.add_argument("--init", type=Path, help="start the last lesson from exported weights")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoints")
    parser.add_argument(
        "--workers", type=int, choices=(1, 2), default=2, help="processes of one thread each"
    )
    parser.add_argument("--pictures", type=int, default=16_000)
    parser.add_argument("--utterances", type=int, default=14_000)
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
