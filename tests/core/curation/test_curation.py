"""Rules 2 to 7 against numbers worked by hand and a second, plain implementation in fractions."""

from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.curation import (
    PAPER_WEIGHTS,
    Curation,
    contests,
    curate,
)
from core.timeline import LANES

TEXT, IMAGE, AUDIO, FRAMES, SOUND = range(5)


def run(rows, lanes, pos, curation=Curation(), spans=None):  # noqa: B008
    evidence = np.array(rows, np.float32).reshape(len(pos), len(lanes))
    spans = [(0, len(pos))] if spans is None else spans
    return curate(evidence, np.array(lanes, np.int8), pos, spans, curation)


def cited(*args, **kwargs):
    return [choice.unit for choice in run(*args, **kwargs).chosen[0]]


# --- numbers worked by hand ---------------------------------------------------------------------


def test_rules_two_to_five_by_hand():
    """ "The cat sat on mats": units a, b; votes .004, .16, .0225, .001, .04; V = .2275."""
    rows = [[0.2, 0.1], [0.4, 0.1], [0.1, 0.158113883], [0.1, 0.05], [0.0, 0.2]]
    pos = ["DET", "NOUN", "VERB", "ADP", "NOUN"]
    done = run(rows, [TEXT, TEXT], pos)
    (ballot,) = done.ballots
    assert ballot.unit.tolist() == [0, 0, 1, 0, 1]
    assert ballot.confidence == pytest.approx([0.2, 0.4, 0.158113883, 0.1, 0.2])
    assert ballot.vote == pytest.approx([0.004, 0.16, 0.0225, 0.001, 0.04])
    first, second = done.chosen[0]
    assert (first.unit, second.unit) == (0, 1)
    assert first.share == pytest.approx(0.165 / 0.2275)
    assert first.run == pytest.approx(0.164 / 0.2275)  # the adposition stands apart
    assert first.score == pytest.approx(0.8 * 0.165 / 0.2275 + 0.2 * 0.164 / 0.2275)
    assert second.share == pytest.approx(0.0625 / 0.2275)
    assert second.run == pytest.approx(0.04 / 0.2275)


def test_the_walk_stops_at_coverage():
    rows = np.diag([0.9, 0.1, 0.0]).tolist()[:2]
    pos = ["NOUN", "NOUN"]  # votes .81 and .01
    assert cited(rows, [TEXT] * 3, pos) == [0]
    # Past the coverage of the first, the second is below both thresholds ...
    assert cited(rows, [TEXT] * 3, pos, Curation(coverage=1.0)) == [0]
    # ... until they are lifted.
    everything = Curation(coverage=1.0, min_share=0.0, min_run=0.0)
    assert cited(rows, [TEXT] * 3, pos, everything) == [0, 1]


def test_a_unit_below_the_share_is_kept_for_its_run():
    """Shares .9 and .1 with runs .9 and .1: min_share alone would skip the second."""
    rows, pos = [[3, 0], [0, 1]], ["NOUN", "NOUN"]
    keep = Curation(coverage=0.95, min_share=0.2, min_run=0.10)
    assert cited(rows, [TEXT] * 2, pos, keep) == [0, 1]
    assert cited(rows, [TEXT] * 2, pos, Curation(coverage=0.95, min_share=0.2, min_run=0.2)) == [0]


def test_a_skipped_unit_does_not_end_the_walk():
    """u1 has the higher score (.8·.2 + .2·.05) but neither share nor run; u2 has the run."""
    rows, pos = [[4, 0, 0], [0, 1, 0], [0, 0, 1.5], [0, 1, 0], [0, 0, 0], [0, 1, 0]], ["X"] * 6
    settings = Curation(coverage=1.0, min_share=0.4, min_run=0.15, gamma=1.0)
    assert cited(rows, [TEXT] * 3, pos, settings) == [0, 2]


def test_nothing_is_selected_where_nothing_was_said():
    assert cited([[0.5, 0.1]], [TEXT] * 2, ["PUNCT"]) == []
    assert cited([[0.0, 0.0]], [TEXT] * 2, ["NOUN"]) == []
    assert run([[0.0, 0.0]], [TEXT] * 2, ["NOUN"]).ballots[0].unit.tolist() == [-1]
    assert run([], [], ["NOUN", "NOUN"]).chosen == ((),)
    assert run([], [TEXT], [], spans=[]).chosen == ()


def test_no_coverage_at_all_still_selects_the_best():
    assert cited([[1, 0], [0, 2]], [TEXT] * 2, ["NOUN"] * 2, Curation(coverage=0.0)) == [1]


def test_ties_go_to_the_earlier_unit():
    rows = [[0, 0, 0.3], [0, 0.3, 0], [0.3, 0.3, 0]]
    assert cited(rows, [TEXT] * 3, ["NOUN"] * 3, Curation(coverage=1.0)) == [0, 1, 2]


def test_an_unknown_tag_has_the_weight_of_the_others():
    weights = [PAPER_WEIGHTS.of(tag) for tag in ("X", "INTJ", "SYM", "SPACE", "", "NOUN", "PUNCT")]
    assert weights == [0.3, 0.3, 0.3, 0.3, 0.3, 1.0, 0.0]


def test_gamma_zero_counts_every_token_alike():
    rows = [[0.9, 0], [0, 1e-6], [0, 1e-6]]
    assert cited(rows, [TEXT] * 2, ["NOUN"] * 3, Curation(gamma=0.0)) == [1, 0]


# --- lanes ---------------------------------------------------------------------------------------


def test_one_stray_vote_beside_nineteen_is_cited_only_where_lanes_are_curated_apart():
    """The published code cites a picture for one vote of 1e-4 beside nineteen of .05."""
    rows = [[0.05, 0.0]] * 19 + [[0.0, 1e-4]]
    lanes, pos = [TEXT, IMAGE], ["NOUN"] * 20
    assert cited(rows, lanes, pos, Curation(lanes="joint")) == [0]
    assert sorted(cited(rows, lanes, pos, Curation(lanes="per_lane"))) == [0, 1]
    assert sorted(cited(rows, lanes, pos, Curation(lanes="reference"))) == [0, 1]


def test_runs_are_counted_over_the_tokens_as_they_stand_except_in_the_published_way():
    """Text u0 at tokens 0 and 2, a picture between: two runs of one, or, filtered, one of two."""
    rows = [[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    lanes, pos = [TEXT, TEXT, IMAGE], ["NOUN"] * 4
    whole = Curation(coverage=1.0)
    joint = {c.unit: c for c in run(rows, lanes, pos, whole).chosen[0]}
    assert joint[0].run == pytest.approx(1 / 4)
    published = Curation(coverage=1.0, lanes="reference")
    filtered = {c.unit: c for c in run(rows, lanes, pos, published).chosen[0]}
    assert filtered[0].run == pytest.approx(2 / 3)


def test_a_token_without_evidence_breaks_a_run_but_not_in_the_published_way():
    rows, lanes, pos = [[1, 0], [0, 0], [1, 0], [0, 1]], [AUDIO] * 2, ["NOUN"] * 4
    apart = run(rows, lanes, pos, Curation(lanes="per_lane")).chosen[0]
    assert apart[0].run == pytest.approx(1 / 3)
    published = run(rows, lanes, pos, Curation(lanes="reference")).chosen[0]
    assert published[0].run == pytest.approx(2 / 3)


def lanes_of(policy: str, *present: str) -> list[tuple[list[str], list[list[str]]]]:
    return [
        (
            sorted(LANES[lane] for lane in contest.lanes),
            [sorted(LANES[lane] for lane in group) for group in contest.groups],
        )
        for contest in contests(policy, present)
    ]


ALONE = {name: ([name], [[name]]) for name in LANES}
WRITTEN = (["image", "text"], [["text"], ["image"]])


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (("text",), [ALONE["text"]]),
        (("image",), [ALONE["image"]]),
        (("text", "image"), [WRITTEN]),
        (("audio",), [ALONE["audio"]]),
        (("text", "audio"), [ALONE["audio"]]),
        (("text", "video_frames"), [ALONE["video_frames"]]),
        (
            ("text", "video_sound", "video_frames"),
            [ALONE["video_frames"], ALONE["video_sound"]],
        ),
        (LANES, [WRITTEN, ALONE["audio"], ALONE["video_frames"], ALONE["video_sound"]]),
        ((), []),
    ],
)
def test_the_published_lanes(present, expected):
    assert lanes_of("reference", *present) == expected


def test_joint_and_per_lane_take_any_mix():
    assert lanes_of("joint", *LANES) == [(sorted(LANES), [sorted(LANES)])]
    assert lanes_of("per_lane", *LANES) == [ALONE[name] for name in LANES]
    assert lanes_of("joint") == lanes_of("per_lane") == []


def test_in_the_published_way_sound_is_heard_however_weak_beside_text():
    rows, lanes, pos = [[0.9, 1e-5]], [TEXT, AUDIO], ["NOUN"]
    assert cited(rows, lanes, pos, Curation(lanes="reference")) == [1]
    assert cited(rows, lanes, pos, Curation(lanes="joint")) == [0]


def test_a_film_unites_what_its_frames_and_its_sound_select():
    rows, lanes = [[0.9, 0.0, 1e-3, 0.0]], [FRAMES, FRAMES, SOUND, SOUND]
    published = run(rows, lanes, ["NOUN"], Curation(lanes="reference"))
    assert [c.unit for c in published.chosen[0]] == [0, 2]
    assert [b.unit.tolist() for b in published.ballots] == [[0], [2]]


# --- a second implementation ---------------------------------------------------------------------


def second(rows, lanes, pos, span, c):
    """DESIGN's rules word by word, in exact fractions; unit → (share, run), in order chosen."""
    weight = {tag: Fraction(str(w)) for tag, w in c.pos_weights.items()}
    present = sorted(set(lanes))
    if c.lanes == "joint":
        plan = [(present, [present], False)]
    elif c.lanes == "per_lane":
        plan = [([lane], [[lane]], False) for lane in present]
    else:
        plan = [([lane], [[lane]], True) for lane in present if lane >= AUDIO]
        if IMAGE in present or not plan:
            still = [lane for lane in present if lane < AUDIO]
            plan = ([(still, [[lane] for lane in still], True)] if still else []) + plan
    picked = []
    for competing, groups, dropping in plan:
        traced = []
        for t in range(*span):
            best = max((rows[t][u], -u) for u in range(len(lanes)) if lanes[u] in competing)
            vote = weight.get(pos[t], weight["OTHER"]) * Fraction(best[0]) ** int(c.gamma)
            traced.append((-best[1], vote) if best[0] > 0 else (None, Fraction(0)))
        for group in groups:
            said = [(u if u is not None and lanes[u] in group else None, v) for u, v in traced]
            if dropping:
                said = [(u, v) for u, v in said if u is not None]
            total = sum(v for u, v in said if u is not None)
            if not total:
                continue
            p, r = {}, {}
            for u, stretch in groupby(said, key=lambda s: s[0]):
                if u is not None:
                    mass = sum(v for _, v in stretch) / total
                    p[u], r[u] = p.get(u, 0) + mass, max(r.get(u, 0), mass)
            alpha = Fraction(str(c.alpha))
            q = {u: alpha * p[u] + (1 - alpha) * r[u] for u in p}
            sum_p = Fraction(0)
            for u in sorted(p, key=lambda u: (-q[u], u)):
                if p[u] < Fraction(str(c.min_share)) and r[u] < Fraction(str(c.min_run)):
                    continue
                picked.append((-q[u], u, float(p[u]), float(r[u])))
                sum_p += p[u]
                if sum_p >= Fraction(str(c.coverage)):
                    break
    return [(u, p, r) for _, u, p, r in sorted(picked)]


@st.composite
def cases(draw):
    n_tokens, n_units = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    lanes = draw(st.lists(st.integers(0, 4), min_size=n_units, max_size=n_units))
    eighths = st.integers(0, 4).map(lambda k: k / 8)
    row = st.lists(eighths, min_size=n_units, max_size=n_units)
    rows = draw(st.lists(row, min_size=n_tokens, max_size=n_tokens))
    tag = st.sampled_from(["NOUN", "VERB", "ADJ", "ADV", "DET", "PUNCT", "X"])
    pos = draw(st.lists(tag, min_size=n_tokens, max_size=n_tokens))
    middle = draw(st.integers(0, n_tokens))
    settings = Curation(
        coverage=draw(st.sampled_from([0.0, 0.5, 0.85, 1.0])),
        min_share=draw(st.sampled_from([0.0, 0.07, 0.25, 0.5])),
        min_run=draw(st.sampled_from([0.0, 0.1, 0.25, 1.0])),
        alpha=draw(st.sampled_from([0.0, 0.5, 0.8, 1.0])),
        gamma=draw(st.sampled_from([0.0, 1.0, 2.0, 3.0])),
        lanes=draw(st.sampled_from(["joint", "per_lane", "reference"])),
    )
    return rows, lanes, pos, [(0, middle), (middle, n_tokens)], settings


@given(cases())
def test_a_second_implementation_agrees(case):
    rows, lanes, pos, spans, settings = case
    done = run(rows, lanes, pos, settings, spans)
    for span, chosen in zip(spans, done.chosen, strict=True):
        expected = second(rows, lanes, pos, span, settings)
        assert [c.unit for c in chosen] == [u for u, _, _ in expected]
        assert [c.share for c in chosen] == pytest.approx([p for _, p, _ in expected])
        assert [c.run for c in chosen] == pytest.approx([r for _, _, r in expected])


@given(cases())
def test_a_run_is_never_more_than_the_share_and_choices_stay_in_their_span(case):
    rows, lanes, pos, spans, settings = case
    done = run(rows, lanes, pos, settings, spans)
    for (first, last), chosen in zip(spans, done.chosen, strict=True):
        said = {int(u) for ballot in done.ballots for u in ballot.unit[first:last]}
        for choice in chosen:
            assert 0 < choice.run <= choice.share + 1e-12 <= 1 + 2e-12
            assert choice.unit in said
    assert len({c.unit for c in done.chosen[0]}) == len(done.chosen[0])


@given(cases(), st.sampled_from([0.25, 0.5, 2.0]))
def test_the_scale_of_the_signal_does_not_matter(case, scale):
    rows, lanes, pos, spans, settings = case
    scaled = (np.array(rows) * scale).tolist()
    before, after = (run(r, lanes, pos, settings, spans).chosen for r in (rows, scaled))
    assert [[c.unit for c in s] for s in before] == [[c.unit for c in s] for s in after]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["joint", "per_lane", "reference"]))
def test_the_order_of_the_units_does_not_matter_without_ties(seed, policy):
    draws = np.random.default_rng(seed)
    rows, lanes = draws.random((12, 6)), draws.integers(0, 5, 6)
    shuffle = draws.permutation(6)
    pos, settings = ["NOUN", "VERB"] * 6, Curation(lanes=policy)
    plain = run(rows, lanes, pos, settings).chosen[0]
    moved = run(rows[:, shuffle], lanes[shuffle], pos, settings).chosen[0]
    assert {c.unit: round(c.share, 6) for c in plain} == {
        int(shuffle[c.unit]): round(c.share, 6) for c in moved
    }


@given(st.integers(0, 2**32 - 1))
def test_where_confidence_is_off_a_rows_scale_does_not_matter(seed):
    draws = np.random.default_rng(seed)
    rows = draws.random((8, 5))
    scaled = rows * draws.uniform(0.01, 100, (8, 1))
    settings = Curation(gamma=0.0)
    before, after = (run(r, [TEXT] * 5, ["NOUN"] * 8, settings).chosen for r in (rows, scaled))
    assert before == after


def test_each_ablation_switches_its_stage_off():
    presets = Curation.presets()
    assert {presets["no POS weights"].pos_weights[tag] for tag in PAPER_WEIGHTS} == {1.0}
    rows = [[0.5, 0, 0], [0, 0.1, 0], [0, 0, 0.1], [0, 0.1, 0]]
    args = (rows, [TEXT] * 3, ["NOUN"] * 4)
    assert cited(*args, presets["no confidence"])[0] == 1
    assert cited(*args, presets["paper"]) == [0]
    for choice in run(*args, presets["no runs"]).chosen[0]:
        assert choice.score == pytest.approx(choice.share)
    assert presets["no thresholds"].min_share == presets["no thresholds"].min_run == 0
