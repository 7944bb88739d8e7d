"""``python -m core judge``: labels by a language model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.terminal import positive, printable, printable_lines

if TYPE_CHECKING:
    from core.evaluation.judge.estimate import Price
    from core.evaluation.judge.run import Judged
    from core.evaluation.judge.service import Service

APIS = ("openai", "gemini")


def add_to(commands: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    judge = commands.add_parser("judge", help="labels by a language model")
    judge.add_argument("traces", type=Path, help="folder of .omnitrace files")
    judge.add_argument("--out", type=Path, metavar="LABELS.jsonl", help="needed, but for --dry-run")
    judge.add_argument("--model", required=True, help="as the service names it")
    judge.add_argument("--api", choices=APIS, default=APIS[0], help="(%(default)s)")
    judge.add_argument("--base-url", metavar="URL", help="of any endpoint that speaks the API")
    judge.add_argument(
        "--key-variable", metavar="NAME", help="environment variable that holds the key"
    )
    judge.add_argument("--cache", type=Path, help="folder of replies (LABELS.jsonl.cache)")
    judge.add_argument(
        "--reasks", type=_count, default=2, help="of a malformed answer (%(default)s)"
    )
    judge.add_argument("--concurrency", type=positive, default=4, help="(%(default)s)")
    judge.add_argument("--limit", type=positive, help="only the first N answers")
    judge.add_argument(
        "--price", type=_price, metavar="IN,OUT", help="US dollars a million tokens: tells the cost"
    )
    judge.add_argument(
        "--dry-run", action="store_true", help="print the prompts and an estimate; ask nobody"
    )
    judge.set_defaults(command=_judge)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is below 0")
    return value


def _price(text: str) -> Price:
    from core.evaluation.judge.estimate import Price

    price = Price(*map(float, text.split(",")))
    if min(price) < 0:
        raise argparse.ArgumentTypeError(f"{text} is no price")
    return price


def _judge(args: argparse.Namespace) -> int:
    from core.evaluation.judge.cache import Cache
    from core.evaluation.judge.patience import Patience
    from core.evaluation.judge.run import judge_folder
    from core.evaluation.labels import write_labels

    if args.dry_run:
        return _dry_run(args.traces, args.limit, args.price)
    if args.out is None:
        raise InputError("Say where the labels go: --out LABELS.jsonl.")
    judged = judge_folder(
        args.traces,
        _service(args),
        Cache(args.cache or args.out.with_name(args.out.name + ".cache")),
        patience=Patience(),
        reasks=args.reasks,
        concurrency=args.concurrency,
        limit=args.limit,
    )
    write_labels(args.out, judged.labels)
    _tell(judged, args.price)
    return 1 if judged.failed else 0


def _service(args: argparse.Namespace) -> Service:
    named: dict[str, Any] = {"base_url": args.base_url}
    if args.key_variable:
        named["key_variable"] = args.key_variable
    if args.api == "gemini":
        from core.evaluation.judge.gemini import Gemini

        return Gemini(args.model, **named)
    from core.evaluation.judge.openai_compatible import OpenAICompatible

    return OpenAICompatible(args.model, **named)


def _dry_run(folder: Path, limit: int | None, price: Price | None) -> int:
    from core.evaluation.folder import open_scores
    from core.evaluation.judge.estimate import tokens
    from core.evaluation.judge.question import question_of
    from core.evaluation.judge.run import answers
    from core.prompt import TextPart

    paths, failed = answers(folder, limit)
    read = written = 0
    for path in paths:
        trace = open_scores(path)
        try:
            question = question_of(trace)
        except InputError as error:
            failed.append((path.name, str(error)))
            continue
        print(f"=== {printable(path.name)}\n{printable(question.prompt.instruction)}")
        for part in question.prompt.parts:
            shown = part.text if isinstance(part, TextPart) else f"<{part.kind} {part.name}>"
            print(printable_lines(shown))
        one_read, one_written = tokens(question, trace)
        read, written = read + one_read, written + one_written
    cost = f", about ${price.of(read, written):,.2f}" if price else ""
    print(
        f"{len(paths)} answers: about {read:,} tokens to read, {written:,} to write{cost}; "
        "thinking, and asking again, not counted",
        file=sys.stderr,
    )
    _tell_failed(failed)
    return 1 if failed else 0


def _tell(judged: Judged, price: Price | None) -> None:
    spent = judged.spent
    malformed = sum(bool(label.malformed) for label in judged.labels)
    cost = f", ${price.of(spent.tokens_in, spent.tokens_out):,.4f}" if price else ""
    print(
        f"{len(judged.labels)} labels, {malformed} of them malformed; {spent.asked} replies asked "
        f"for, {spent.cached} from the cache; {spent.tokens_in:,} tokens read, "
        f"{spent.tokens_out:,} written{cost}",
        file=sys.stderr,
    )
    _tell_failed(judged.failed)


def _tell_failed(failed: Any) -> None:
    for name, message in failed:
        print(f"  {printable(name)}: {printable(message)}", file=sys.stderr)
