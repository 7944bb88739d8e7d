"""How one span's sources were chosen, so that rules 3 to 5 can be followed by eye.

``Explanation`` keeps what was selected. Here rule 4 is worked out again from the votes for the
units that were *not*, grouped as the lane policy curates them; what both know agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.curation import OTHER, Curation, contests
from core.explain import Explanation, SpanExplanation, Vote
from core.timeline import LANES
from core.trace import Trace
from omnitrace_ui.views.wire import JSON, clean, rounded, significant

_SLACK = 1e-9


def why_model(
    trace: Trace, explanation: Explanation, span: SpanExplanation, curation: Curation
) -> JSON:
    """Tokens with their votes, and every unit that was voted for, by falling score."""
    groups = _groups(explanation, span, curation)
    rows = [row for group in groups for row in _tally(group, curation)]
    chosen = {cited.index for cited in span.sources}
    rows.sort(key=lambda row: (-row[3], row[0]))
    return {
        "tokens": [_token(trace, vote, curation) for vote in span.votes],
        "tally": [
            [unit, *map(rounded, (p, r, q)), _verdict(unit in chosen, p, r, curation)]
            for unit, p, r, q in rows
        ],
    }


def _token(trace: Trace, vote: Vote, curation: Curation) -> list:
    token = trace.tokens[vote.token]
    text = trace.answer[token.start : token.end] or token.text
    weight = curation.pos_weights.get(vote.pos, curation.pos_weights[OTHER])
    return [
        clean(text),
        vote.pos,
        rounded(weight, 2),
        vote.unit,
        significant(vote.confidence),
        significant(vote.vote),
    ]


def _verdict(chosen: bool, share: float, run: float, curation: Curation) -> str:
    if chosen:
        return "selected"
    weak = share < curation.min_share - _SLACK and run < curation.min_run - _SLACK
    return "weak" if weak else "covered"


def _groups(
    explanation: Explanation, span: SpanExplanation, curation: Curation
) -> Iterator[list[tuple[int, Vote]]]:
    """The votes that are curated together: ``(place among the contest's votes, vote)``."""
    lane_of = explanation.sources.lane_of
    present = {LANES[lane] for lane in lane_of.tolist()}
    for contest in contests(curation.lanes, present):
        for group in contest.groups:
            kept = [v for v in span.votes if v.unit >= 0 and int(lane_of[v.unit]) in group]
            # The published code counts runs after other lanes' tokens are dropped.
            places = range(len(kept)) if contest.dropping else [v.token for v in kept]
            yield list(zip(places, kept, strict=True))


def _tally(
    votes: Sequence[tuple[int, Vote]], curation: Curation
) -> Iterator[tuple[int, float, float, float]]:
    """Rule 4: ``unit, share, run, score``."""
    total = sum(vote.vote for _, vote in votes)
    if total <= 0:
        return
    share: dict[int, float] = {}
    longest: dict[int, float] = {}
    run, before = 0.0, None
    for place, vote in votes:
        continues = before is not None and before == (place - 1, vote.unit)
        run = run + vote.vote if continues else vote.vote
        before = (place, vote.unit)
        share[vote.unit] = share.get(vote.unit, 0.0) + vote.vote
        longest[vote.unit] = max(longest.get(vote.unit, 0.0), run)
    for unit, held in share.items():
        p, r = held / total, longest[unit] / total
        yield unit, p, r, curation.alpha * p + (1 - curation.alpha) * r
