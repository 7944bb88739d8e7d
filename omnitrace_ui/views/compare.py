"""What other signals of the same trace say of one sentence, under the same settings."""

from __future__ import annotations

from collections.abc import Sequence

from core.explain import Explanation
from omnitrace_ui.views.wire import rounded


def compare_model(explanations: Sequence[tuple[str, Explanation]], span: int) -> list[list]:
    """``[[title, cites], …]``, the shown signal first; ``cites`` as those of a span.

    Args:
        explanations: title for people, explanation of the same answer cut in the same way.
        span: index of the sentence.
    """
    return [
        [
            title,
            [[c.index, rounded(c.share)] for c in explanation.spans[span].sources],
        ]
        for title, explanation in explanations
    ]
