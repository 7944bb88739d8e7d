"""Imports run one way: DESIGN's table, checked from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = (
    ("core.errors", "core.terminal", "core.cancel", "core.hub"),
    ("core.prompt", "core.timeline", "core.trace", "core.spans", "core.sources", "core.natural"),
    ("core.curation", "core.media", "core.samples", "core.tracefile"),
    ("core.models", "core.segmenters"),
    ("core.signals",),
    ("core.decoding",),
    ("core.cost",),
    ("core.explain",),
    ("core.evaluation",),
    ("core.review",),
    ("core.world", "core.benchmarks"),
    ("core.batch",),
    ("core.commands", "core.cli", "core.__main__"),
    ("omnitrace_ui",),
    ("app",),
)
"""Lowest first. A module may import its own layer and those below it."""

PUBLIC_FACE = "core"
"""The package itself re-exports; the UI, the app and the benches may use it."""


def layer(module: str) -> int | None:
    for index, names in enumerate(LAYERS):
        if any(module == n or module.startswith(n + ".") for n in names):
            return index
    return None


def sources() -> list[tuple[str, Path]]:
    files = [*ROOT.glob("core/**/*.py"), *ROOT.glob("omnitrace_ui/**/*.py"), ROOT / "app.py"]
    named = []
    for path in files:
        parts = path.relative_to(ROOT).with_suffix("").parts
        named.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return named


def imports(path: Path) -> set[str]:
    """Every module that the file imports, also inside functions, but not under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and getattr(branch.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


FILES = sources()


def test_every_module_has_a_place_in_the_table():
    homeless = [name for name, _ in FILES if name != PUBLIC_FACE and layer(name) is None]
    assert not homeless


@pytest.mark.parametrize(("name", "path"), FILES, ids=[name for name, _ in FILES])
def test_imports_run_one_way(name: str, path: Path):
    if name == PUBLIC_FACE:
        return
    own = layer(name)
    # Trace.save and Trace.load hand over to the file format, which knows the record.
    allowed = {"core.trace": {"core.tracefile"}}.get(name, set())
    above = {
        target
        for target in imports(path)
        if (at := layer(target)) is not None
        and at > own
        and not any(target == a or target.startswith(a + ".") for a in allowed)
    }
    assert not above


@pytest.mark.parametrize(("name", "path"), FILES, ids=[name for name, _ in FILES])
def test_rooms_do_not_know_what_they_must_not(name: str, path: Path):
    roots = {target.partition(".")[0] for target in imports(path)}
    if name.startswith("core"):
        assert not roots & {"gradio", "omnitrace_ui", "spaces"}
    if name.startswith("omnitrace_ui.views"):
        assert "gradio" not in roots
    pure = ("core.curation", "core.sources", "core.spans", "core.explain", "core.tracefile")
    if name.startswith(pure):
        assert "torch" not in roots and "transformers" not in roots


def test_adapters_do_not_import_each_other():
    shared = {"base", "cache", "chat", "geometry", "heads", "layout", "quantization", "registry"}
    shared |= {"graph", "text", "torchvision_cpu"}
    for name, path in FILES:
        if name.startswith("core.models.") and name.split(".")[2] not in shared:
            others = {
                target.split(".")[2]
                for target in imports(path)
                if target.startswith("core.models.") and target.count(".") >= 2
            }
            assert others - shared - {name.split(".")[2]} == set() or name == "core.models.registry"


def test_importing_the_framework_and_its_command_line_is_light():
    heavy = {"torch", "transformers", "spacy", "gradio"}
    code = f"import core, core.cli, sys; print(sorted({heavy} & {{*sys.modules}}))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["core.signals.registry", "core.world.train", "core.decoding"])
def test_a_room_can_be_the_first_that_is_imported(name: str):
    """Beside a CPU-only torch, transformers' classes cannot be had before torchvision is cured."""
    subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, check=True)


def test_the_public_face_is_whole():
    import core

    for name in core.__all__:
        assert getattr(core, name) is not None
    assert callable(core.trace) and callable(core.explain)
