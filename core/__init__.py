"""OmniTrace: generation-time attribution for omni-modal models.

    from core import Prompt, explain, load_model, trace

    model = load_model("embedded")
    prompt = Prompt.of("Describe the picture.", [Path("cat.png")])
    recorded = trace(model, prompt)
    for span in explain(recorded).spans:
        print(span.text, [cited.unit.label for cited in span.sources])

Importing this package is cheap: torch and transformers load with the first model.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.cost import Estimate, estimate
    from core.curation import Curation
    from core.decoding import stream, trace
    from core.errors import OmniTraceError
    from core.explain import Explanation, explain
    from core.media import Limits
    from core.models.registry import load_model
    from core.prompt import Prompt
    from core.segmenters import load_segmenter, segment
    from core.sources import Granularity
    from core.trace import Generation, Trace

_HOMES = {
    "Curation": "core.curation",
    "Estimate": "core.cost",
    "Explanation": "core.explain",
    "Generation": "core.trace",
    "Granularity": "core.sources",
    "Limits": "core.media",
    "OmniTraceError": "core.errors",
    "Prompt": "core.prompt",
    "Trace": "core.trace",
    "estimate": "core.cost",
    "explain": "core.explain",
    "load_model": "core.models.registry",
    "load_segmenter": "core.segmenters",
    "segment": "core.segmenters",
    "stream": "core.decoding",
    "trace": "core.decoding",
}

__all__ = [
    "Curation",
    "Estimate",
    "Explanation",
    "Generation",
    "Granularity",
    "Limits",
    "OmniTraceError",
    "Prompt",
    "Trace",
    "estimate",
    "explain",
    "load_model",
    "load_segmenter",
    "segment",
    "stream",
    "trace",
]

# Two modules share their name with a function. Importing a submodule binds its name here, once;
# load both now and unbind them, so that `core.trace` and `core.explain` are always the functions.
import_module("core.trace")
import_module("core.explain")
del globals()["trace"], globals()["explain"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
