"""Self-attribution (appendix C.2.1): the model that answered says what its answer rests on.

    "After model generation is complete, the same base model is prompted using the prompts from
    Appendix B.1 to attribute each of it's generation to the sources provided."

It is asked once, greedily, and not helped: what cannot be read is recorded as malformed, which
scores nothing. The media are asked about as they were given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.decoding.untraced import untraced
from core.errors import LimitError
from core.evaluation.baselines.run import require_same
from core.evaluation.judge.question import Question, question_of
from core.evaluation.judge.reading import Reading, read_reply
from core.evaluation.judge.run import labels_of
from core.evaluation.labels import BASELINE, Label
from core.media import Limits
from core.models.base import TracedModel
from core.trace import Generation, Trace

NAME = "self-attribution"
_TOKENS_A_SENTENCE, _TOKENS = 128, 128
"""Room for the JSON of a sentence, and around."""

_LIMITS = Limits()


def predict(trace: Trace, model: TracedModel) -> Iterator[Label]:
    """What the model says of each sentence of a trace's answer.

    Raises:
        InputError: there is nothing to ask, the media are not there, or another model answered.
    """
    require_same(trace, model)
    question = question_of(trace)
    try:
        reading = read_reply(answer(question, model), question)
    except LimitError as error:
        reading = Reading({}, (str(error),))
    for label in labels_of(question, reading, NAME):
        yield replace(label, by=BASELINE)


def answer(question: Question, model: TracedModel) -> str:
    """What a model replies to a judge's question.

    Raises:
        LimitError: the question is longer than the model reads.
        InputError: a part's media are not there.
    """
    prepared = model.prepare(question.prompt, limits=_LIMITS)
    room = model.context - len(prepared.timeline)
    most = min(room, _TOKENS + _TOKENS_A_SENTENCE * len(question.sentences))
    said = untraced(model, prepared, Generation(max_new_tokens=most), most)
    return b"".join(map(model.token_bytes, said)).decode("utf-8", "replace")
