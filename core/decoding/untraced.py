"""The same answer without anybody listening: what a traced one is compared with."""

from __future__ import annotations

from core.decoding.choice import Chooser
from core.models.base import Prepared, TracedModel
from core.trace import Generation


def untraced(
    model: TracedModel, prepared: Prepared, generation: Generation, most: int
) -> list[int]:
    """The tokens of at most ``most`` that the model answers when nothing is recorded.

    The model's own attention runs: no recorder is installed, and nothing is differentiated.
    """
    chooser = Chooser(generation)
    chooser.hear(prepared.inputs["input_ids"][0].tolist())
    run, said = model.start(prepared), []
    logits = run.read_prompt()
    while True:
        said.append(chooser.choose(logits))
        if said[-1] in model.stop_tokens or len(said) == most:
            return said
        logits = run.read_token(said[-1])
