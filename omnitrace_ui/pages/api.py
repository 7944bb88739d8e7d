"""The endpoints for programs: ``/trace`` and ``/explain``, by gradio's API and, if asked, by MCP.

Their docstrings are what clients and agents read. No postponed annotations here: gradio reads a
function's return type as it stands.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Literal

import gradio as gr

from core.curation import Curation
from core.decoding.loop import DEFAULT_SIGNALS
from omnitrace_ui.actions.api import Api
from omnitrace_ui.actions.explore import Explore
from omnitrace_ui.actions.messages import message

_IN_LINE = {"concurrency_id": "model", "concurrency_limit": None}
"""As the page's own runs: they wait in the engine's line, whoever asks."""

Preset = Literal[tuple(Curation.presets())]  # type: ignore[valid-type]


def build_api(explore: Explore, page: gr.Blocks) -> None:
    """Register the endpoints inside ``page``."""
    # What gradio finds in this set it deletes when its time has come.
    api = Api(explore, lambda path: page.upload_file_set.add(str(path)))

    # gradio takes the annotation for the type of each result: those of the generator itself.
    @_refusing
    def trace(
        instruction: str,
        parts: list[dict] = [],  # noqa: B006  (gradio shows it as the default)
        model: str = "",
        signals: list[str] = list(DEFAULT_SIGNALS),  # noqa: B006
        max_new_tokens: int = 256,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> tuple[dict, dict]:
        """Ask an omni-modal model, and trace which part of the prompt made it say each sentence.

        Parameters:
            instruction: what the model shall do with the parts.
            parts: the prompt's parts in order, each {"text": "…"} or {"file": FileData}; in Python a file is gradio_client's handle_file(path). Pictures, recordings and films are told by the ending of their names.
            model: name of one of the server's models; empty: its first.
            signals: what to record; the best of them is explained.
            max_new_tokens: longest answer, 1 to 2048 tokens.

        Returns:
            The trace as an .omnitrace file, and the explanation: units of the prompt and, for every sentence of the answer, the units it draws on with their shares. While the model works the file is null and the second value is {"status", "done", "total"}.
        """
        address = request.client.host if request and request.client else ""
        yield from api.trace(instruction, parts, model, signals, max_new_tokens, address)  # type: ignore[misc]

    @_refusing
    def explain(
        trace: dict | str,
        sentence: int = 0,
        signal: str = "",
        preset: Preset = "default",
        coverage: float | None = None,
        min_share: float | None = None,
        min_run: float | None = None,
        alpha: float | None = None,
        gamma: float | None = None,
        assignment: Literal["mass", "peak"] | None = None,
        lanes: Literal["joint", "per_lane", "reference"] | None = None,
        text_units: Literal["sentence", "part"] = "sentence",
        time_units: Literal["natural", "bins"] = "natural",
        bin_seconds: float = 1.0,
    ) -> dict:
        """Explain a trace under other settings; the model does not run.

        Parameters:
            trace: an .omnitrace file (FileData; in Python handle_file(path)), or the name of one of the server's saved traces.
            sentence: number from 1 of the only sentence wanted; 0: all.
            signal: one that the trace holds; empty: the best of them.
            preset: the curation to begin with; the settings below change it, null leaves it.
            coverage: stop once the sources hold this share of the votes, 0 to 1.
            min_share: leave out a source below this share, 0 to 1 …
            min_run: … unless consecutive votes for it reach this, 0 to 1.
            alpha: weight of the share beside the run in the ranking, 0 to 1.
            gamma: how much confident words outvote others, 0 to 10.
            assignment: evidence of a unit: the sum over it, or its strongest position.
            lanes: whether all kinds of units compete, or each apart.
            text_units: cut texts into sentences, or take each whole.
            time_units: cut sound at pauses and films at cuts, or both into bins.
            bin_seconds: length of a bin, 0.25 to 5 seconds.

        Returns:
            {"answer", "signal", "units", "spans"}: as the page's JSON download.
        """
        changes = {
            "coverage": coverage,
            "min_share": min_share,
            "min_run": min_run,
            "alpha": alpha,
            "gamma": gamma,
            "assignment": assignment,
            "lanes": lanes,
        }
        yield api.explain(
            trace, sentence, signal, (text_units, time_units, bin_seconds), preset, changes
        )  # type: ignore[misc]

    gr.api(trace, api_name="trace", **_IN_LINE)
    gr.api(explain, api_name="explain")


def _refusing(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint with failures in words: nothing of the server's insides leaves it."""

    @wraps(endpoint)
    def told(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from endpoint(*args, **kwargs)
        except Exception as error:
            raise gr.Error(message(error), print_exception=False) from None

    return told
