"""How a traced run reads its tokens: layer by layer with the recorder listening, or by one graph.

The graph (``core.models.graph``) is for signals that need nothing but rows. Whatever stands in its
way, before the first token or at it, is said once, and the plain way goes on from there.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch

from core.models.base import Prepared, TracedModel
from core.models.graph import GraphModel, GraphRun, NoGraphError
from core.signals.needs import ROWS_ONLY, Needs
from core.signals.recorder import Recorder


class Reader:
    """Reads one run's tokens.

    Attributes:
        run: the run.
    """

    def __init__(
        self, model: TracedModel, prepared: Prepared, recorder: Recorder, needs: Needs
    ) -> None:
        self._model, self._prepared = model, prepared
        self._recorder, self._needs = recorder, needs
        self.run = model.start(prepared, differentiable=bool(needs.gradients))
        self._rows: torch.Tensor | None = None

    def compile(self, positions: int) -> None:
        """Read tokens by a graph from now on, if that can be; nothing has been read yet."""
        try:
            self.run = self._graph_run(positions)
        except NoGraphError as reason:
            self._decline(reason)
            return
        config, device = self._model.text_model.config, torch.device(self._model.info.device)
        self._rows = torch.zeros(config.num_hidden_layers, self.run.room, device=device)
        torch._dynamo.mark_static_address(self._rows)

    def read(self, tokens: Sequence[int]) -> torch.Tensor:
        """Logits ``(n, vocabulary)`` after each token; the recorder has heard their rows."""
        if self._rows is not None and len(tokens) == 1:
            try:
                logits = self.run.read_token_into(tokens[0], self._rows)
            except NoGraphError as reason:
                self._decline(reason)
                self._rows = None
            else:
                self._recorder.hear_all(self._rows)
                return logits[None]
        return self.run.read_tokens(tokens)

    def _graph_run(self, positions: int) -> GraphRun:
        if not isinstance(self._model, GraphModel):
            raise NoGraphError("its adapter has no compiled step")
        if self._needs != ROWS_ONLY:
            raise NoGraphError("a signal needs more than rows (gradients, heads or value vectors)")
        return self._model.start_graph(self._prepared, positions=positions)

    def _decline(self, reason: NoGraphError) -> None:
        warnings.warn(
            f"{self._model.info.name} is not compiled: {reason}. It is traced the plain way.",
            RuntimeWarning,
            stacklevel=2,
        )
