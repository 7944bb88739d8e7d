"""What holds a thread for long ends when it is asked to."""

from pathlib import Path

import psutil
import pytest

from core.cancel import Cancelled, cancellable, check
from core.decoding import stream
from core.media import Limits
from core.media.decoder import PROGRAM, decode_film
from core.prompt import Prompt
from tests.core.tiny import tiny_model

FILM = Path(__file__).resolve().parents[1] / "data" / "media" / "colours.mp4"


def test_nobody_wants_the_end_unless_said_so():
    check()
    with cancellable(lambda: True), pytest.raises(Cancelled):
        check()
    check()


def test_a_prompt_being_read_ends_between_two_layers():
    model = tiny_model()
    layers = model.text_model.config.num_hidden_layers
    assert layers > 1
    steps = stream(model, Prompt.of("Describe.", ["Anna has a red ball."]))
    assert [next(steps).stage for _ in range(2)] == ["reading", "encoding"]
    looks = []
    with (
        cancellable(lambda: looks.append(1) or len(looks) > 1),
        pytest.raises(Cancelled),
    ):
        next(steps)
    assert len(looks) == 2, "no further layer was read"


def test_the_model_is_given_back_and_answers_the_next():
    model = tiny_model()
    prompt = Prompt.of("Describe.", ["Anna has a red ball."])
    steps = stream(model, prompt, signals=("attmean", "attgrads_all"))
    for step in steps:
        if step.stage == "decoding":
            break
    with cancellable(lambda: True), pytest.raises(Cancelled):
        next(steps)
    whole = [step.answer for step in stream(model, prompt)][-1]
    assert whole.startswith(step.answer)


def test_a_film_being_decoded_ends_and_its_process_with_it():
    with cancellable(lambda: True), pytest.raises(Cancelled):
        decode_film(FILM, "a.mp4", fps=2, max_frames=8, rate=16_000, limits=Limits())
    running = [p.as_dict(["cmdline"], ad_value=[]) for p in psutil.Process().children()]
    assert not [one for one in running if str(PROGRAM) in one["cmdline"]]
