"""From the form to a growing, explained answer, with a real (tiny, random) model."""

import json

import numpy as np
import pytest

from core.models.base import TracedModel
from core.trace import Generation
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.actions.generate import STAGES, done
from omnitrace_ui.actions.messages import UNEXPECTED
from omnitrace_ui.actions.present import finished_to
from omnitrace_ui.session import Store, Visitor
from omnitrace_ui.views import GivenPart, Status
from tests.core.handmade import trace_of
from tests.core.tiny import tiny_model


def run(explore, visitor, request):
    return list(explore.generator.run(visitor, request))


def test_an_answer_grows_and_ends_explained(explore, request_of):
    visitor = Visitor()
    frames = run(explore, visitor, request_of())
    assert [frame.running for frame in frames] == [True] * (len(frames) - 1) + [False]
    texts = [frame.view["status"]["text"] for frame in frames]
    assert STAGES["reading"] in texts
    # Before the prompt is read, what it will take.
    (encoding,) = [text for text in texts if text.startswith(STAGES["encoding"])]
    assert " · about " in encoding and "24 tokens" in encoding
    last = frames[-1].view
    assert last["status"]["phase"] == "done" and "24 tokens" in last["status"]["text"]
    assert visitor.trace.stopped == "length" and len(visitor.trace.tokens) == 24
    shown = "".join(s["before"] + s["text"] for s in last["answer"]["spans"])
    assert shown + last["answer"]["tail"] == visitor.trace.answer
    assert not visitor.running


def test_the_prompt_is_sent_once_with_files_of_the_visitors_own(explore, request_of):
    visitor = Visitor()
    frames = run(explore, visitor, request_of())
    with_parts = [frame.view for frame in frames if "parts" in frame.view]
    assert len(with_parts) == 1 and "units" in with_parts[0]
    kinds = [part["kind"] for part in with_parts[0]["parts"]]
    assert kinds == ["text", "image", "audio"]
    own = str(explore.site.store.folder(visitor))
    for part in with_parts[0]["parts"][1:]:
        assert part["file"]["path"].startswith(own)
    assert with_parts[0]["parts"][2]["peaks"], "the recording was decoded before it was shown"


def test_streamed_values_are_small(explore, request_of):
    frames = run(explore, Visitor(), request_of(tokens=120))
    sizes = [len(json.dumps(f.view)) for f in frames if f.running and "parts" not in f.view]
    assert max(sizes) < 20_000


def test_stop_ends_within_a_token_and_keeps_what_there_is(explore, request_of):
    visitor = Visitor()
    frames = explore.generator.run(visitor, request_of(tokens=512))
    for frame in frames:
        if frame.view["status"]["done"] and frame.view["status"]["text"] == STAGES["decoding"]:
            count = frame.view["status"]["done"]
            explore.stop(visitor)
            break
    rest = list(frames)
    assert len(rest) == 1 and not rest[0].running
    assert visitor.trace.stopped == "cancelled"
    assert count <= len(visitor.trace.tokens) <= count + 1
    assert rest[0].view["status"]["phase"] == "done"


def test_stop_while_waiting_starts_nothing(explore, request_of):
    visitor = Visitor()
    frame = explore.generator.wait(visitor)
    assert frame.running and frame.view["status"]["phase"] == "busy"
    explore.stop(visitor)
    frames = run(explore, visitor, request_of())
    assert visitor.trace is None and frames[-1].view["status"]["phase"] == "empty"
    explore.generator.wait(visitor)
    assert run(explore, visitor, request_of())[-1].view["status"]["phase"] == "done"


def test_a_closed_tab_ends_the_generation(explore, request_of):
    visitor = Visitor()
    frames = explore.generator.run(visitor, request_of(tokens=512))
    next(f for f in frames if f.view["status"]["text"] == STAGES["decoding"])
    frames.close()
    assert not visitor.running and visitor.trace.stopped == "cancelled"
    assert visitor.status.phase == "done"


def test_a_visitor_runs_one_at_a_time_and_is_told_when_turned_away(explore, request_of):
    visitor = Visitor()
    first = explore.generator.run(visitor, request_of(tokens=512))
    next(first)
    assert run(explore, visitor, request_of()) == []
    first.close()
    assert explore.generator.give_up(visitor).view["status"]["phase"] == "error"


def test_two_visitors_at_once_never_mix(explore, request_of):
    def text(words):
        return request_of(GivenPart("t", "text", text=words))

    alone = Visitor()
    run(explore, alone, text("Anna has a red ball."))
    one, other = Visitor(), Visitor()
    runs = [
        explore.generator.run(one, text("Anna has a red ball.")),
        explore.generator.run(other, text("Something else. Entirely different words here.")),
    ]
    while runs:
        runs = [frames for frames in runs if next(frames, None) is not None]
    assert one.trace.answer == alone.trace.answer
    assert (one.trace.scores["attmean"] == alone.trace.scores["attmean"]).all()
    assert other.trace.prompt.parts[0].text.startswith("Something else")


def test_a_bad_file_is_told_beside_its_part_and_costs_nothing(explore, request_of, files):
    visitor = Visitor()
    run(explore, visitor, request_of())
    kept, broken = visitor.trace, files["image"].with_name("c.png")
    broken.write_bytes(b"no picture")
    form = [
        GivenPart("good", "image", path=files["image"], name="a.png"),
        GivenPart("bad", "image", path=broken, name="<b>c</b>.png"),
        GivenPart("stolen", "audio", path=explore.site.store.root / "../x.wav", name="x.wav"),
    ]
    frames = run(explore, visitor, request_of(*form))
    assert set(frames[-1].refused) == {"bad", "stolen"}
    assert frames[-1].view["status"]["phase"] == "error"
    assert visitor.trace is kept and frames[-1].view["answer"], "the old answer stays"
    assert explore.check(visitor, form).keys() == {"bad", "stolen"}
    assert explore.check(visitor, form[:1]) == {}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"instruction": " ", "form": []}, "Nothing was given"),
        ({"signals": ()}, "signal"),
        ({"signals": ("nonsense",)}, "Known"),
        ({"model": "/etc"}, "Offered: tiny"),
        ({"generation": Generation(top_p=0.0)}, "top_p"),
        ({"instruction": None}, "Reload"),
        ({"response": None}, "Reload"),
        ({"response": "word " * 70_000}, "Give a shorter answer"),
    ],
)
def test_what_cannot_be_traced_is_told(explore, request_of, changes, says):
    visitor = Visitor()
    frames = run(explore, visitor, request_of(**changes))
    status = frames[-1].view["status"]
    assert status["phase"] == "error" and says in status["text"]
    assert not visitor.running


def test_a_given_answer_is_traced_word_by_word_and_marked(explore, request_of):
    visitor = Visitor()
    sentences = ["Anna has a red ball.", "Bob has no car."] * 10
    frames = run(explore, visitor, request_of(response=" ".join(sentences)))
    answer = frames[-1].view["answer"]
    assert [span["text"] for span in answer["spans"]] == sentences
    assert visitor.trace.given and answer["given"]
    run(explore, visitor, request_of(response=" \n"))
    assert not visitor.trace.given, "an empty field means that the model answers itself"


def test_texts_without_a_word_are_left_out(explore, request_of):
    visitor = Visitor()
    form = [GivenPart("a", "text", text="  \n"), GivenPart("b", "text", text="Hello there.")]
    run(explore, visitor, request_of(*form))
    assert [part.text for part in visitor.trace.prompt.parts] == ["Hello there."]


def test_a_model_that_cannot_be_loaded_is_told_and_tried_again(tmp_path, request_of, caplog):
    attempts = []

    def load(*, on_stage) -> TracedModel:
        attempts.append(1)
        if len(attempts) == 1:
            raise RuntimeError("/srv/models/secret")
        return tiny_model()

    root = tmp_path / "other"
    root.mkdir()
    explore = Explore(Site(Engine({"tiny": load}), Store(root)))
    request = request_of(GivenPart("t", "text", text="Hello."))
    visitor = Visitor()
    status = run(explore, visitor, request)[-1].view["status"]
    assert (status["phase"], status["text"]) == ("error", UNEXPECTED)
    assert run(explore, visitor, request)[-1].view["status"]["phase"] == "done"
    assert len(attempts) == 2


@pytest.mark.parametrize(
    ("answer", "stands"),
    [
        ("", 0),
        ("A cat", 0),
        ("A cat sat.", 0),
        ("A cat sat. B", 10),
        ("It is 3.5 m", 0),
        ("“Yes.” No", 6),
        ("One\nTwo", 4),
        ("猫。 犬", 2),
    ],
)
def test_a_sentence_stands_once_something_follows_it(answer, stands):
    assert finished_to(answer) == stands


def test_memory_that_ran_out_is_a_note_and_no_error():
    short = "Memory ran out after 2 tokens, which are kept. Use fewer or shorter parts."
    trace = trace_of(np.zeros((2, 3)), "One ", "two", stopped="memory", shortage=short)
    assert done(trace) == Status("done", f"2 tokens · {trace.model.name} · {short}")
