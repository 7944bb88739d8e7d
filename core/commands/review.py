"""``python -m core review ACTION``: the arguments; ``core.review.command`` does what they say."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.terminal import positive, printable_lines


def add_to(commands: argparse._SubParsersAction) -> None:
    """Every action's arguments."""
    review = commands.add_parser("review", help="people check a judge's labels")
    actions = review.add_subparsers(required=True, metavar="ACTION")

    def add(name: str, purpose: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=purpose)
        action.set_defaults(command=_review, action=name)
        if name != "create":
            action.add_argument("project", type=Path)
        return action

    create = add("create", "make a project of traces and a judge's labels")
    create.add_argument("traces", type=Path, help="folder of .omnitrace files")
    create.add_argument("--labels", type=Path, required=True, metavar="LABELS.jsonl")
    create.add_argument("--out", type=Path, required=True, metavar="PROJECT")
    create.add_argument("--annotators", type=_names, required=True, metavar="NAME,NAME")
    create.add_argument("--leads", type=_names, default=[], metavar="NAME,NAME")
    create.add_argument("--overlap", type=float, default=0.2, help="share for all (%(default)s)")
    create.add_argument("--seed", type=int, default=1, help="of shares and orders (%(default)s)")
    create.add_argument(
        "--blind", action="store_true", help="hide judge and model until a sentence is committed"
    )
    create.add_argument("--samples", type=Path, help="SAMPLES.json: names of the tasks")

    add("status", "progress, agreement, disputed sentences")
    export = add("export", "labels.jsonl and verdicts.parquet")
    export.add_argument("--out", type=Path, required=True, help="folder")
    export.add_argument("--label-studio", action="store_true", help="tasks and media for it too")
    bring = add("import", "verdicts of people: .jsonl, .parquet, or .json of Label Studio")
    bring.add_argument("file", type=Path)
    bring.add_argument(
        "--as",
        dest="names",
        type=_names,
        default=[],
        metavar="ID=NAME,…",
        help="who Label Studio's users are here",
    )
    backup = add("backup", "copy the store while people work")
    backup.add_argument("--out", type=Path, required=True, metavar="FILE.sqlite3")
    upload = add("upload", "exports to a private hub data set, on a schedule (HF_TOKEN)")
    upload.add_argument("--dataset", required=True, metavar="OWNER/NAME")
    upload.add_argument("--out", type=Path, required=True, help="folder for the exports")
    upload.add_argument("--every", type=positive, default=30, help="minutes (%(default)s)")
    user = add("adduser", "let somebody in, or change role and password")
    user.add_argument("name")
    user.add_argument("--role", choices=("annotator", "lead"), default="annotator")
    user.add_argument("--password", action="store_true", help="ask for one (from a pipe: a line)")


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name.strip()]


def _review(args: argparse.Namespace) -> int:
    from core.review.command import ACTIONS

    print(printable_lines(ACTIONS[args.action](args)))
    return 0
