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

ASSETS = Path(__file__).resolve().parent / "assets"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until interrupted; returns the process's exit status."""
    args = _parser().parse_args(argv)

    from core.errors import OmniTraceError
    from core.models.registry import load_model
    from omnitrace_ui.actions.engine import Engine
    from omnitrace_ui.actions.explore import Site
    from omnitrace_ui.actions.library import Library
    from omnitrace_ui.actions.review.bench import Bench
    from omnitrace_ui.layout import build_app
    from omnitrace_ui.review_routes import review_routes
    from omnitrace_ui.server import Serving, launch, on_space, private_folder
    from omnitrace_ui.session import Store

    loaders = {
        # Of a local folder visitors see the last part only, not the machine's path.
        Path(name).name if Path(name).is_dir() else name: partial(
            load_model,
            name,
            device=args.device,
            device_map=args.device_map,
            quantization=args.quantization,
            trust_remote_code=args.trust_remote_code,
        )
        for name in args.model or ["embedded"]
    }
    try:
        store = Store(private_folder())
        library = Library.read(ASSETS / "heldout" / "samples.json", args.traces)
        engine = Engine(loaders, gpu_seconds=args.gpu_seconds)
        reviewing = args.review and review_routes(
            Bench(args.review),
            upload_megabytes=args.upload_megabytes,
            framed="SPACE_HOST" in os.environ,
        )
    except OmniTraceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    app = build_app(Site(engine, store, library), review=bool(reviewing))
    serving = Serving(
        host=args.host,
        port=args.port,
        names=tuple(args.allow_host),
        upload_megabytes=args.upload_megabytes,
    )
    try:
        url = launch(app, on_space(serving), routes=reviewing or ())
    except OSError as error:
        print(f"error: {error}. Choose another port: --port", file=sys.stderr)
        return 1
    # Not before: gradio gives up on a server that does not answer it within seconds.
    engine.warm_up()
    print(f"OmniTrace Explorer is on {url}", flush=True)
    app.block_thread()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python app.py", description="OmniTrace Explorer")
    add = parser.add_argument
    add(
        "--model",
        action="append",
        metavar="NAME",
        help="embedded (default), a hub id or a local folder; repeat it to offer several",
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
    add("--upload-megabytes", type=int, default=500, help="largest file (%(default)s)")
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
        help="with a Review page: a project of `python -m core review create`, or a folder of them",
    )
    add("--gpu-seconds", type=int, default=120, help="longest run on a ZeroGPU Space (%(default)s)")
    return parser  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
