"""Check: the selected sentence is scored again while chosen sources are hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from core.errors import InputError, ModelError
from core.evaluation.hiding import WAYS
from core.trace import Trace
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.line import LOOK, standing
from omnitrace_ui.actions.messages import message
from omnitrace_ui.actions.present import explain_with, show
from omnitrace_ui.session import Visitor
from omnitrace_ui.views.check import Asked, check_model, checked_model
from omnitrace_ui.views.wire import JSON

_MOST_IDS = 200


class Checker:
    """Runs checks for visitors, one at a time each, in the line in which generations wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def wait(self, visitor: Visitor, asked: object) -> JSON:
        """Say at once that a check was asked for; somebody else's turn may have to end first.

        Args:
            visitor: whose answer.
            asked: what the browser sent: ``{"span", "chosen": [id], "way"}``.

        Raises:
            InputError: it is not what our page sends.
        """
        beside = visitor.alongside
        wanted = _read(asked)
        if not beside.checking:
            beside.leaving = False
            beside.check_of = visitor.trace_key
            beside.check = check_model(wanted, "busy", "Waiting for the model")
        return show(visitor)

    def stop(self, visitor: Visitor) -> JSON:
        """End the running check after the reading that is under way."""
        visitor.alongside.leaving = True
        if not visitor.alongside.checking:
            visitor.alongside.check = None
        return show(visitor)

    def give_up(self, visitor: Visitor) -> JSON:
        """Too many visitors are waiting: this one was turned away."""
        if not visitor.alongside.checking:
            self._say(visitor, "error", "Too many are waiting for the model. Try again later.")
        return show(visitor)

    def run(self, visitor: Visitor, address: str = "") -> Iterator[JSON]:
        """Run the check that ``wait`` announced; never raises but when it is closed early.

        ``address``: of the visitor's network, as ``Line.join`` takes it.
        """
        beside = visitor.alongside
        if beside.checking or beside.check is None or beside.check["phase"] != "busy":
            return
        beside.checking = True
        try:
            with closing(self._engine.line.join(address)) as place:
                while not place.wait(LOOK):
                    if beside.leaving:
                        return
                    self._say(visitor, "busy", standing(place))
                    yield show(visitor)
                yield from self._views(visitor)
        except Exception as error:
            self._say(visitor, "error", message(error))
        finally:
            beside.checking = False
            if beside.check is not None and beside.check["phase"] == "busy":
                beside.check = None
        yield show(visitor)

    def _views(self, visitor: Visitor) -> Iterator[JSON]:
        beside, trace = visitor.alongside, _checkable(visitor)
        key, asked = visitor.trace_key, _asked(beside.check)
        name = self._offered(trace)
        explanation = explain_with(trace, visitor.settings)
        if not 0 <= asked.span < len(explanation.spans):
            raise InputError("There is no such sentence in this answer. Select it again.")
        span = explanation.spans[asked.span]
        for loading in self._engine.loading(name):
            if beside.leaving:
                return
            self._say(visitor, "busy", f"{loading.text} · {loading.seconds:.0f} s")
            yield show(visitor)
        index = {unit.id: at for at, unit in enumerate(explanation.sources.units)}
        progress = self._engine.check(
            name,
            trace,
            explanation.sources,
            (span.first, span.last),
            tuple(index[unit] for unit in asked.chosen if unit in index),
            way=asked.way,
            spared=tuple(cited.index for cited in span.sources),
        )
        with closing(progress):
            for done, total, check in progress:
                if beside.leaving or visitor.trace_key != key:
                    return
                if check is None:
                    self._say(visitor, "busy", "Scoring the sentence again", done, total)
                    yield show(visitor)
                else:
                    beside.check = checked_model(asked, check, explanation.sources.units)

    def _offered(self, trace: Trace) -> str:
        name = trace.model.name
        if name not in self._engine.names:
            raise ModelError(
                f"This answer is by {name}, which this server does not offer "
                f"(it has {', '.join(self._engine.names)}). A check needs the model that answered: "
                f"start the app with --model."
            )
        return name

    @staticmethod
    def _say(
        visitor: Visitor, phase: str, text: str, done: int = 0, total: int | None = None
    ) -> None:
        beside = visitor.alongside
        if beside.check is not None:
            asked = _asked(beside.check)
            beside.check = check_model(asked, phase, text, done=done, total=total)


def _checkable(visitor: Visitor) -> Trace:
    trace = visitor.trace
    if trace is None or visitor.running:
        raise InputError("The answer is still being written. Check it when it is whole.")
    gone = [part.name for _, part in trace.prompt.media if not part.path.is_file()]
    if gone:
        raise InputError(
            f"This trace came without {gone[0]!r}, which the model would have to see again. "
            "Open a file that holds its media, or trace the prompt anew."
        )
    return trace


def _asked(check: JSON) -> Asked:
    return Asked(check["span"], tuple(check["chosen"]), check["way"])


def _read(asked: object) -> Asked:
    wrong = InputError("The page asked for a check in an unknown way. Reload it.")
    if not isinstance(asked, dict):
        raise wrong
    span, chosen, way = asked.get("span"), asked.get("chosen"), asked.get("way")
    if not isinstance(span, int) or not isinstance(chosen, list) or len(chosen) > _MOST_IDS:
        raise wrong
    if way not in WAYS or not all(isinstance(unit, str) and len(unit) < 40 for unit in chosen):
        raise wrong
    return Asked(span, tuple(chosen), way)
