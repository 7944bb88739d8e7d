"""The line for the model: order, bounds, and what those who wait or are turned away are told."""

import threading
import time

import pytest

from core.errors import LimitError
from omnitrace_ui.actions.line import Line, spoken
from omnitrace_ui.allowance import Allowance


def line(**bounds: int) -> Line:
    return Line(Allowance(**bounds))


def test_first_come_first_served():
    queue = line()
    places = [queue.join() for _ in range(3)]
    assert [place.wait(0) for place in places] == [True, False, False]
    assert [place.number for place in places] == [0, 1, 2]
    places[0].close()
    assert [place.wait(0) for place in places[1:]] == [True, False]
    assert [place.number for place in places[1:]] == [0, 1]


def test_who_gives_up_a_place_lets_the_others_move_up_and_closing_twice_is_harmless():
    queue = line()
    first, second, third = (queue.join() for _ in range(3))
    second.close()
    second.close()
    assert third.number == 1
    first.close()
    assert third.wait(0)


def test_two_at_once():
    queue = line(at_once=2)
    places = [queue.join() for _ in range(4)]
    assert [place.wait(0) for place in places] == [True, True, False, False]
    assert [place.number for place in places] == [0, 0, 1, 2]
    places[1].close()
    assert places[2].wait(0) and not places[3].wait(0)


def test_a_full_line_says_where_one_would_stand_and_what_to_do():
    queue = line(waiting=2)
    places = [queue.join() for _ in range(3)]
    with pytest.raises(LimitError, match=r"2 are waiting.*number 3.*free soon.*press Trace again"):
        queue.join()
    places[0].begun = time.monotonic() - 30
    places[0].close()
    queue.join()
    with pytest.raises(LimitError, match="free in about 30 s"):
        queue.join()


def test_one_address_does_not_take_the_line_for_itself():
    queue = line(per_address=2)
    mine = [queue.join("10.0.0.1") for _ in range(2)]
    with pytest.raises(LimitError, match=r"2 answers.*your network address.*limit is 2.*stop one"):
        queue.join("10.0.0.1")
    assert queue.join("10.0.0.2") and queue.join() and queue.join()
    mine[1].close()
    assert queue.join("10.0.0.1")


def test_how_long_it_will_take_is_told_from_turns_that_ended():
    queue = line()
    first, second, third = (queue.join() for _ in range(3))
    assert third.seconds is None, "nothing is known yet"
    first.begun = time.monotonic() - 40
    first.close()
    assert second.seconds == 0
    assert third.seconds == pytest.approx(40, abs=0.5)
    assert [spoken(s) for s in (0.2, 40.4, 89, 200)] == ["1 s", "40 s", "89 s", "3 min"]


def test_many_threads_are_each_served_once_and_never_two_together():
    queue, served, at_work, most = line(waiting=100), [], [], []

    def visit(number: int) -> None:
        place = queue.join()
        while not place.wait(5):
            pass
        at_work.append(number)
        most.append(len(at_work))
        served.append(number)
        at_work.remove(number)
        place.close()

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(served) == list(range(50)) and max(most) == 1
