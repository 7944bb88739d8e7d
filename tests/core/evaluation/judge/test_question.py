"""What a judge is asked: every source and every sentence, in the prompt's order and form."""

from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.judge.cache import key_of
from core.evaluation.judge.estimate import Price, tokens
from core.evaluation.judge.question import question_of
from core.prompt import AudioPart, Prompt, TextPart
from tests.core.evaluation.judge.answered import answered
from tests.core.handmade import MEDIA, PROMPT, timeline_of


def only(kinds: set[int], folder: Path):
    """The handmade trace with the parts of these places alone."""
    from tests.core.handmade import ROWS

    whole = answered(folder)
    kept = sorted(kinds)
    rows = [
        (kept.index(row[0]) if row[0] in kept else -1, *(row[1:] if row[0] in kept else ("", None)))
        for row in ROWS
    ]
    return answered(
        folder,
        prompt=Prompt(PROMPT.instruction, tuple(whole.prompt.parts[k] for k in kept)),
        timeline=timeline_of(rows),
        media=tuple(MEDIA[k] for k in kept),
    )


def test_the_parts_stand_in_their_order_and_form(tmp_path: Path):
    question = question_of(answered(tmp_path))
    shown = [p.text if isinstance(p, TextPart) else f"<{p.name}>" for p in question.prompt.parts]
    assert shown[:-1] == [
        "The instruction was: Say what is there.\n\nSources:\n[p0.0] A cat sat.\n[p0.1] B. dog\n"
        "[p1.0] a picture:",
        "<a.png>",
        "[p2] a recording, 1.50 s:",
        "<b.wav>",
        "[p3] a film, 2.00 s:",
        "<c.mp4>",
    ]
    assert "\nSentences of the answer:\n1. Cats sat.\n2. Dogs ran.\n" in shown[-1]
    assert question.units == ("p0.0", "p0.1", "p1.0")
    assert question.timed == {"p2": (2, 1.5), "p3": (3, 2.0)}
    assert "options" in question.prompt.instruction


@pytest.mark.parametrize(
    ("kinds", "keys"), [({0, 1}, ["sentence", "units"]), ({2, 3}, ["sentence", "intervals"])]
)
def test_only_what_there_is_is_asked_for(tmp_path: Path, kinds: set[int], keys: list[str]):
    question = question_of(only(kinds, tmp_path))
    assert list(question.schema["properties"]["sentences"]["items"]["properties"]) == keys
    asked = question.prompt.instruction + question.prompt.parts[-1].text
    assert ("units" in asked, "intervals" in asked) == ("units" in keys, "intervals" in keys)


def test_every_object_of_the_schema_is_strict(tmp_path: Path):
    """What services that hold a model to a schema demand of it."""

    def objects(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for value in node.values():
                yield from objects(value)

    found = list(objects(question_of(answered(tmp_path)).schema))
    assert len(found) == 3
    for one in found:
        assert one["required"] == list(one["properties"]) and not one["additionalProperties"]


def test_nothing_to_judge_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="no sentences"):
        question_of(answered(tmp_path, answer="", tokens=()))
    with pytest.raises(InputError, match="no sources"):
        question_of(only(set(), tmp_path))


def test_a_question_is_known_by_its_content(tmp_path: Path):
    question = question_of(answered(tmp_path))
    key = key_of(question, "one")
    again, elsewhere = tmp_path / "again", tmp_path / "elsewhere"
    again.mkdir(), elsewhere.mkdir()
    assert key_of(question_of(answered(again)), "one") == key
    assert key_of(question, "another service") != key
    assert key_of(question_of(answered(again, "Say more.")), "one") != key
    other = question_of(answered(elsewhere))
    (elsewhere / "b.wav").write_bytes(b"other sound")
    assert key_of(other, "one") != key
    (elsewhere / "b.wav").unlink()
    with pytest.raises(InputError, match=r"'b\.wav' is not in the trace file"):
        key_of(other, "one")


def test_the_estimate_by_hand(tmp_path: Path):
    trace = only({2}, tmp_path)
    question = question_of(trace)
    assert isinstance(trace.prompt.parts[0], AudioPart)
    written = len(question.prompt.instruction)
    written += sum(len(p.text) for p in question.prompt.parts if isinstance(p, TextPart))
    read, answer = tokens(question, trace)
    assert (read, answer) == (-(-written // 4) + 48, 80)  # 1.5 s of sound; two sentences.
    assert Price(2.0, 8.0).of(1_000_000, 500_000) == 6.0
