"""The choice of a model: what can be chosen, what is in memory, and loading another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from core.models.base import TracedModel
from core.models.registry import available_models
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.line import LOOK, standing
from omnitrace_ui.actions.messages import message

Said = tuple[str, str]
"""What is said of the models, and a note beside it: the seconds of a loading one."""


def model_choices(engine: Engine) -> list[tuple[str, str]]:
    """``(title, name)`` of the models offered; where any may be loaded, all known by name too."""
    titles = {known.name: known.title for known in available_models()}
    others = [name for name in titles if name not in engine.names] if engine.takes_any else []
    return [(titles.get(name, name), name) for name in (*engine.names, *others)]


def load(engine: Engine, name: str, address: str = "") -> Iterator[Said]:
    """Load the chosen model, or say why it cannot be; never raises.

    It waits in the line of the generations: one that makes room must not take a model that runs.
    ``address``: as ``Line.join`` takes it.
    """
    try:
        with closing(engine.line.join(address)) as place:
            while not place.wait(LOOK):
                yield standing(place), ""
            for progress in engine.loading(name):
                yield progress.text, f"· {progress.seconds:.0f} s"
    except Exception as error:
        yield message(error), ""
    else:
        yield in_memory(engine)


def in_memory(engine: Engine) -> Said:
    """The models in memory: name, size, where, and of what numbers."""
    return " — ".join(map(facts, engine.loaded)) or "No model is in memory yet.", ""


def facts(model: TracedModel) -> str:
    """E.g. ``Qwen2.5-Omni-7B: 8.9 billion parameters, 17,900 MB, on cuda:0, bfloat16``."""
    info = model.info
    megabytes = model.weight_bytes / 1e6
    return (
        f"{info.name}: {_counted(info.parameters)} parameters, {megabytes:,.0f} MB, "
        f"on {info.device}, {info.dtype}"
    )


def _counted(number: int) -> str:
    if number >= 1e9:
        return f"{number / 1e9:.1f} billion"
    return f"{number / 1e6:.1f} million"
