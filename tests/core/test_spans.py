"""Answers and source texts are cut at sentences; every token finds its span and its word."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.spans import parts_of_speech, sentence_ranges, spans
from core.spans.parsing import KEPT, WINDOW, Parsed, _Kept, _language, parse_lines
from core.trace import Token
from tests.core.handmade import tokens_of

ROOT = Path(__file__).resolve().parents[2]


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_ranges(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The answer is B.", ["The answer is B."]),
        ("The dog is red. The answer is B.", ["The dog is red.", "The answer is B."]),
        ("B. The dog runs.", ["B. The dog runs."]),
        ("A. dog\nB. cat", ["A. dog", "B. cat"]),
        ("Which one?\n(A) Yes\n(B) No", ["Which one?", "(A) Yes", "(B) No"]),
        ("1. A dog runs. 2. A cat sits.", ["1. A dog runs.", "2. A cat sits."]),
        ("1.\nA dog runs.\n\n2.\nA cat sits.", ["1.\nA dog runs.", "2.\nA cat sits."]),
        ("(A)\nA dog\na.\na cat", ["(A)\nA dog", "a.\na cat"]),
        ("A.\nB.\ncat", ["A.", "B.\ncat"]),
        ("It rains.\n3.", ["It rains.", "3."]),
        ("- a dog\n- a cat", ["- a dog", "- a cat"]),
        (
            "Dr. Smith paid $3.50 to the U.S. bank. He left.",
            ["Dr. Smith paid $3.50 to the U.S. bank.", "He left."],
        ),
        ("A dog runs.\r\nA cat\u2028sits.", ["A dog runs.", "A cat", "sits."]),
        ("これは犬です。それは猫です！", ["これは犬です。", "それは猫です！"]),
        ("这是“狗。”那是猫。", ["这是“狗。”", "那是猫。"]),
        ("यह कुत्ता है। वह बिल्ली है।", ["यह कुत्ता है।", "वह बिल्ली है।"]),
        ("  \n No.  \n ", ["No."]),
        ("It is a dog. 👍", ["It is a dog. 👍"]),
        ("👍", ["👍"]),
        ("...", ["..."]),
        ("", []),
        (" \n\t\u3000", []),
    ],
)
def test_texts_are_cut_as_a_reader_would(text: str, expected: list[str]):
    assert sentences(text) == expected


def test_the_miniature_world_is_cut_where_its_maker_knows_the_sentences_to_be():
    for sample in json.loads((ROOT / "assets/heldout/samples.json").read_text("utf-8")):
        assert sentences(sample["answer"]) == [s["text"] for s in sample["sentences"]]
        for source in (source for s in sample["sentences"] for source in s["sources"]):
            if source["lane"] == "text":
                ranges = sentence_ranges(sample["question"][source["part"]]["text"])
                assert (source["start"], source["end"]) in ranges


def test_the_text_of_a_published_question_has_its_options_apart():
    text = (
        "Is the time shown in clock or watch in both <image> and <image> the same?\n"
        "(A) Yes, they are both at 9 o'clock\n(B) Yes, they are both at 12 o'clock\n"
        "(C) No, they show different time"
    )
    assert sentences(text) == text.split("\n")


WILD = st.text(
    st.one_of(
        st.sampled_from(list("Aab.1) (\n\t \"'-。？।\u200b\u00a0👍é")),
        st.characters(),  # with lone surrogates, controls and unassigned code points
    ),
    max_size=60,
)


@settings(max_examples=150)
@given(WILD)
def test_every_character_but_space_lies_in_exactly_one_sentence(text: str):
    ranges = sentence_ranges(text)
    inside = [0] * len(text)
    for start, end in ranges:
        assert text[start:end] and text[start:end].strip() == text[start:end]
        for at in range(start, end):
            inside[at] += 1
    assert list(ranges) == sorted(ranges)
    assert max(inside, default=0) <= 1
    assert all(
        count == 1 for count, character in zip(inside, text, strict=True) if character.strip()
    )


def test_a_line_longer_than_the_parsers_window_is_cut_as_if_it_were_short():
    sentence = "The dog runs over the hill."
    text = " ".join([sentence] * (3 * WINDOW // len(sentence)))
    assert sentences(text) == [sentence] * (3 * WINDOW // len(sentence))


@pytest.mark.parametrize("unit", ["word ", "x", "这是狗，"])
def test_a_sentence_longer_than_the_window_is_still_covered(unit: str):
    text = unit * (2 * WINDOW // len(unit))
    assert "".join(sentences(text)).replace(" ", "") == text.replace(" ", "")


def test_sentences_beyond_english_survive_the_windows_edge():
    text = "这是狗。" * WINDOW
    assert sentences(text) == ["这是狗。"] * WINDOW


def test_a_visitors_words_do_not_stay_in_the_parser():
    sentence_ranges("Warm up.")
    strings = _language().vocab.strings
    before = len(strings)
    sentence_ranges("Zyxomatic quuxlings frobnicate unheardofly.")
    assert len(strings) == before


def test_lines_are_parsed_once_however_many_a_text_has():
    lines = [f"Fact {n} is here." for n in range(600)]
    first = parse_lines(lines)
    assert all(one is other for one, other in zip(first, parse_lines(lines), strict=True))


def test_what_is_kept_is_bounded_and_the_oldest_goes_first():
    kept, parsed = _Kept(), Parsed((), ())
    names = [character * (KEPT // 3) for character in "abcd"]
    for name in names[:3]:
        kept.put({name: parsed})
    kept.get(names[:1])
    kept.put({names[3]: parsed, names[2]: parsed})
    assert list(kept.get(names)) == [names[0], names[2], names[3]]


def test_importing_loads_no_parser():
    code = "import core.spans, sys; print('spacy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_spans_hold_their_tokens():
    answer, tokens = tokens_of("The", " cat", ".", "\n\n", "It", " sat", ".")
    first, second = spans(answer, tokens)
    assert (first.text, first.start, first.end, first.first, first.last) == ("The cat.", 0, 8, 0, 3)
    assert (second.text, second.first, second.last) == ("It sat.", 4, 7)


def test_a_token_belongs_where_its_first_character_lies():
    answer, tokens = tokens_of("A dog", ".\nA", " cat", " sits.")
    assert [(s.first, s.last) for s in spans(answer, tokens)] == [(0, 2), (2, 4)]


def test_a_sentence_inside_a_token_of_another_joins_it():
    answer, tokens = tokens_of("Yes.\nNo.\nThe", " cat sits.\n", "Good.")
    assert [(s.text, s.first, s.last) for s in spans(answer, tokens)] == [
        ("Yes.\nNo.", 0, 1),
        ("The cat sits.", 1, 2),
        ("Good.", 2, 3),
    ]


def test_tokens_that_share_a_character_share_its_span():
    answer = "I see. 👍\nNo."
    tokens = (
        Token(0, "I see.", 0, 6),
        Token(1, "\ufffd", 6, 8),
        Token(2, "\ufffd", 7, 8),
        Token(3, "\ufffd", 7, 8),
        Token(4, "\nNo.", 8, 12),
        Token(5, "", 12, 12),
    )
    assert [(s.first, s.last) for s in spans(answer, tokens)] == [(0, 4), (4, 5)]


def test_an_answer_without_tokens_or_text_has_no_spans():
    assert spans("", ()) == ()
    assert spans("", (Token(0, "", 0, 0),)) == ()
    assert spans(" \n", tokens_of(" ", "\n")[1]) == ()
    assert spans("Text.", ()) == ()


@settings(max_examples=100)
@given(st.lists(WILD.filter(len), max_size=12))
def test_every_token_with_text_is_in_exactly_one_span(pieces: list[str]):
    answer, tokens = tokens_of(*pieces)
    found = spans(answer, tokens)
    homes = [sum(s.first <= i < s.last for s in found) for i in range(len(tokens))]
    assert all(home == 1 for home, piece in zip(homes, pieces, strict=True) if piece.strip())
    assert max(homes, default=0) <= 1
    covered = "".join(answer[s.start : s.end] for s in found)
    assert "".join(covered.split()) == "".join(answer.split())
    assert len(parts_of_speech(answer, tokens)) == len(tokens)


def tags(*pieces: str) -> list[str]:
    return list(parts_of_speech(*tokens_of(*pieces)))


def test_pieces_of_a_word_inherit_its_part_of_speech():
    assert tags("The", " el", "ephant", " runs", " quick", "ly", ".") == [
        "DET",
        "NOUN",
        "NOUN",
        "VERB",
        "ADV",
        "ADV",
        "PUNCT",
    ]


def test_the_stop_after_an_options_letter_is_punctuation():
    assert tags("The", " answer", " is", " B", ".")[-2:] == ["PROPN", "PUNCT"]


def test_parts_of_speech_follow_the_text_not_the_count_of_tokens():
    """The published code indexes tags by position: one token more and every tag is off by one."""
    whole = tags("The", " dog", " and", " 3", " cats")
    assert whole == ["DET", "NOUN", "CCONJ", "NUM", "NOUN"]
    assert tags("T", "he", " d", "og", " and", " ", "3", " cats", "") == [
        *("DET", "DET", "NOUN", "NOUN", "CCONJ", "X", "NUM", "NOUN", "X"),
    ]


def test_words_in_other_scripts_are_unknown_but_their_punctuation_is_not():
    assert tags("Собака", " бежит", ".") == ["X", "X", "PUNCT"]
    assert tags("狗", "在", "跑", "。") == ["X", "X", "X", "PUNCT"]
    assert tags("The", " café", " is", " open")[1] in ("NOUN", "PROPN")


def test_spans_of_a_growing_answer_only_change_at_its_end():
    pieces = ["The dog", " runs.", "\n", "The cat", " sits.", "\nThe", " answer", " is", " B", "."]
    whole = spans(*tokens_of(*pieces))
    for count in range(1, len(pieces)):
        partial = spans(*tokens_of(*pieces[:count]))
        assert partial[:-1] == whole[: len(partial) - 1]
