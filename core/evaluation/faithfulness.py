"""The causal reference: leave one source out, and see what the answer's sentences lose.

A signal says what the model looked at; this says what it needed (cf. DeYoung et al. 2020,
"comprehensiveness"; Geva et al. 2023, attention knock-out). The answer is read again by teacher
forcing while positions of the prompt are out of sight:

- cheap: out of sight of the answer's queries, the one that predicts the first token among them.
  The prompt is read once; only the answer is read for each ablation, many side by side. What other
  prompt positions took over from the hidden ones while the prompt was read is still there.
- dear: out of sight of the prompt's queries too; the prompt is read anew for each ablation. What
  the audio and vision towers mixed inside one recording or picture is still there.

The drop of a sentence's log-probability, in nats, is the score: positive if the sentence needed
what was hidden. Every sentence of the answer is scored by one and the same reading.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from core.errors import InputError, LimitError
from core.media import Limits
from core.models.base import Prepared, TracedModel
from core.sources import Sources
from core.spans import Span
from core.trace import Trace

DEFAULT_LIMITS = Limits()


def leave_one_out(
    model: TracedModel,
    trace: Trace,
    sources: Sources,
    spans: Sequence[Span],
    *,
    reread: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> np.ndarray:
    """What each span loses without each unit: float32 ``(n_spans, n_units)``, nats.

    Arguments and errors as ``span_drops``; ``sources`` are the units to be left out, one each.
    """
    units = [[unit] for unit in range(len(sources.units))]
    hidden = positions_of(units, sources)
    return span_drops(model, trace, spans, hidden, reread=reread, limits=limits)


def span_drops(
    model: TracedModel,
    trace: Trace,
    spans: Sequence[Span],
    hidden: np.ndarray,
    *,
    reread: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> np.ndarray:
    """What each span loses under each ablation: float32 ``(n_spans, n_ablations)``, nats.

    Args:
        model: the one that answered, or any other that lays the prompt out in the same way.
        trace: its prompt, whose media must still be there, and its answer's tokens.
        spans: half-open ranges of those tokens.
        hidden: bool ``(n_ablations, n_prompt)``, e.g. from ``positions_of``.
        reread: the dear way.
        limits: bounds on the media.

    Raises:
        InputError: the media are not there, or the model lays the prompt out in another way.
        LimitError: they are too large.
    """
    prepared = prepare_same(model, trace, limits)
    tokens = [token.id for token in trace.tokens]
    # The baseline goes the same way as the ablations: rounding is the same, and cancels.
    nothing = np.zeros((1, len(trace.timeline)), bool)
    rows = torch.from_numpy(np.concatenate([nothing, hidden]))
    scored = model.start(prepared).score(tokens, rows, reread=reread).cpu().numpy()
    lost = scored[:1] - scored[1:]
    drops = [lost[:, span.first : span.last].sum(axis=1) for span in spans]
    return np.stack(drops) if drops else np.zeros((0, len(hidden)), np.float32)


def positions_of(units: Sequence[Sequence[int]], sources: Sources) -> np.ndarray:
    """Prompt positions of sets of units, one set a row: bool ``(len(units), n_prompt)``."""
    rows = np.zeros((len(units), len(sources.unit_of)), bool)
    for row, several in zip(rows, units, strict=True):
        row[:] = np.isin(sources.unit_of, several)
    return rows


def prepare_same(model: TracedModel, trace: Trace, limits: Limits = DEFAULT_LIMITS) -> Prepared:
    """The trace's prompt as a model reads it, if that is how it was read when it was traced.

    Raises:
        InputError: the model lays the prompt out in another way, its media are not there, or the
            answer has tokens that this model has not.
        LimitError: they are too large, or prompt and answer do not fit the model.
    """
    prepared = model.prepare(trace.prompt, limits=limits)
    read, recorded = len(prepared.timeline), len(trace.timeline)
    same = read == recorded and np.array_equal(prepared.timeline.part, trace.timeline.part)
    # A file from elsewhere may hold any number; a GPU would not survive one beyond its table.
    known = model.text_model.get_input_embeddings().weight.shape[0]
    if not same or any(token.id >= known for token in trace.tokens):
        raise InputError(
            f"The model {model.info.name!r} reads this prompt as {read:,} positions; the trace, "
            f"by {trace.model.name!r}, has {recorded:,} or other ones. Use the model that answered."
        )
    if read + len(trace.tokens) > model.context:
        raise LimitError(
            f"Prompt and answer take {read + len(trace.tokens):,} positions; the model reads at "
            f"most {model.context:,}. Check a shorter answer."
        )
    return prepared
