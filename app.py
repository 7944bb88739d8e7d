"""OmniTrace Explorer: the program that serves the web page; also what a Space runs.

python app.py                                    # the embedded model, on http://127.0.0.1:7860
python app.py --model Qwen/Qwen2.5-Omni-7B       # a hub model or a local folder
python app.py --review projects/study            # with the annotators' page
"""

from __future__ import annotations

import contextlib

# ZeroGPU must see the program before torch does; elsewhere the package is not there.
with contextlib.suppress(ImportError):
    import spaces  # noqa: F401

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

ASSETS = Path(__file__).resolve().parent / "assets"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until interrupted; returns the process's exit status."""
    args = _parser().parse_args(argv)

    from core.errors import OmniTraceError
    from core.models.registry import TRUST_WARNING, load_model
    from omnitrace_ui.actions import memory
    from omnitrace_ui.actions.benchmark import Reports
    from omnitrace_ui.actions.engine import Engine
    from omnitrace_ui.actions.explore import Site
    from omnitrace_ui.actions.library import Library
    from omnitrace_ui.actions.review.bench import Bench
    from omnitrace_ui.actions.review.hosting import settled, upload_exports
    from omnitrace_ui.actions.sound import OFFLINE, Segmenters
    from omnitrace_ui.allowance import read_allowance
    from omnitrace_ui.layout import build_app
    from omnitrace_ui.review_routes import review_routes
    from omnitrace_ui.server import Serving, launch, on_space, private_folder
    from omnitrace_ui.session import Store

    if args.trust_remote_code:
        print(TRUST_WARNING, file=sys.stderr, flush=True)
    if args.any_model and not _is_private(args.host, args.allow_host):
        print(
            "error: --any-model lets a visitor load any folder of this machine: it goes only with "
            "a --host of this machine alone (127.0.0.1), and without --allow-host",
            file=sys.stderr,
        )
        return 1
    load = partial(
        load_model,
        device=args.device,
        device_map=args.device_map,
        quantization=args.quantization,
    )
    loaders = {
        # Of a local folder visitors see the last part only, not the machine's path.
        Path(name).name if Path(name).is_dir() else name: partial(
            load, name, trust_remote_code=args.trust_remote_code
        )
        for name in args.model or ["embedded"]
    }
    try:
        allowance = read_allowance(args)
        memory.bound(allowance.memory_gigabytes)
        store = Store(private_folder(), allowance)
        library = Library.read(ASSETS / "heldout" / "samples.json", args.traces, *_kept(args))
        engine = Engine(
            loaders,
            any_model=(lambda name: partial(load, name)) if args.any_model else None,
            allowance=allowance,
            gpu_seconds=args.gpu_seconds,
        )
        segmenters = Segmenters(args.segmenter or OFFLINE)
        on_a_space = "SPACE_HOST" in os.environ
        if args.review and args.storage and on_a_space:
            args.review = settled(args.review, args.storage)
        bench = Bench(args.review) if args.review else None
        if bench and args.review_upload:
            upload_exports(bench, args.review_upload)
        reviewing = bench and review_routes(
            bench, upload_megabytes=allowance.upload_megabytes, framed=on_a_space
        )
    except OmniTraceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    app = build_app(
        Site(engine, store, library, segmenters),
        reports=Reports.read(args.reports),
        review=bool(reviewing),
    )
    serving = Serving(
        host=args.host,
        port=args.port,
        names=tuple(args.allow_host),
        allowance=allowance,
        mcp=args.mcp,
    )
    try:
        url = launch(app, on_space(serving), store, routes=reviewing or ())
    except OmniTraceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}. Choose another port: --port", file=sys.stderr)
        return 1
    # Not before: gradio gives up on a server that does not answer it within seconds.
    engine.warm_up()
    print(f"OmniTrace Explorer is on {url}", flush=True)
    app.block_thread()
    return 0


def _kept(args: argparse.Namespace) -> list[Path]:
    """Folders of trace files in the storage that outlives a restart; none without one."""
    return [args.storage / "traces"] if args.storage else []


def _is_private(host: str, names: Sequence[str]) -> bool:
    """Whether nobody but who sits at this machine can be meant to reach the page."""
    local = host in ("127.0.0.1", "::1", "localhost")
    return local and not names and "SPACE_HOST" not in os.environ


def _parser() -> argparse.ArgumentParser:
    from omnitrace_ui.allowance import add_options

    parser = argparse.ArgumentParser(prog="python app.py", description="OmniTrace Explorer")
    add = parser.add_argument
    add(
        "--model",
        action="append",
        metavar="NAME",
        help="embedded (default), a hub id or a local folder; repeat it to offer several",
    )
    add(
        "--any-model",
        action="store_true",
        help="let the page load every known model, hub id and folder of this machine, none with "
        "code of its own; only for yourself, on 127.0.0.1",
    )
    add("--device", help="e.g. cuda:0; default: CUDA if present, else CPU")
    add("--device-map", help="e.g. auto, for a model that outgrows one GPU")
    add("--quantization", choices=("4bit", "8bit"), help="of the weights; on CUDA, by bitsandbytes")
    add(
        "--trust-remote-code",
        action="store_true",
        help="run code that comes with the model's files: it may do all that you may (MiniCPM-o)",
    )
    add(
        "--segmenter",
        action="append",
        metavar="NAME[:MODEL]",
        help="what visitors may cut sound by: pauses, whisper:small, whisper:FOLDER, paraformer, "
        "scribe, …; repeatable. Default: whisper and paraformer with weights found here",
    )
    add(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        help="address to listen on; 0.0.0.0 for all (%(default)s)",
    )
    add(
        "--port",
        type=int,
        default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
        help="(%(default)s)",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that the server answers to, beside localhost and addresses; repeatable",
    )
    add(
        "--traces",
        type=Path,
        default=ASSETS / "traces",
        help="folder of .omnitrace files to offer as examples",
    )
    add(
        "--review",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get("OMNITRACE_REVIEW") or None,
        help="with a Review page: a project of `python -m core review create`, or a folder of "
        "them; on a Space with --storage they are copied there once, and live there",
    )
    add(
        "--review-upload",
        metavar="OWNER/NAME",
        default=os.environ.get("OMNITRACE_REVIEW_UPLOAD") or None,
        help="upload the projects' exports every half hour to this data set on the hub, which is "
        "made private (needs HF_TOKEN)",
    )
    add(
        "--reports",
        type=Path,
        default=ASSETS / "reports",
        help="folder of reports by `core evaluate` to offer on the Benchmark page",
    )
    add("--mcp", action="store_true", help="offer trace and explain to agents by MCP as well")
    add(
        "--storage",
        type=Path,
        default=os.environ.get("OMNITRACE_STORAGE") or None,
        help="folder that outlives a restart (on a Space: /data); trace files in its folder "
        "`traces` are offered as examples too",
    )
    add("--gpu-seconds", type=int, default=120, help="longest run on a ZeroGPU Space (%(default)s)")
    add_options(parser)
    return parser  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
