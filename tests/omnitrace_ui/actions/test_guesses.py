"""Guessers wait longer and longer; who works here does not, and memory stays small."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import AccessError, StoreError
from core.review import open_project
from omnitrace_ui.actions.review.bench import Bench
from omnitrace_ui.actions.review.guesses import Bound, Guesses, network
from omnitrace_ui.actions.review.sessions import Sessions
from tests.core.review.making import make_project

BOUND = Bound(free=3, longest=20)
ONE = {"key": BOUND}


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def wrong(guesses: Guesses, bounds=ONE) -> str:
    """A wrong guess; what was said."""
    with pytest.raises(AccessError) as told, guesses.guess(bounds):
        raise AccessError("does not fit")
    return str(told.value)


def test_each_wait_is_twice_the_last_up_to_the_longest_and_no_longer():
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(3):
        assert wrong(guesses) == "does not fit"
    for wait in (2, 4, 8, 16, 20, 20, 20):
        assert f"Wait {wait} s" in wrong(guesses)
        clock.now += wait - 0.5
        assert "Wait 1 s" in wrong(guesses)
        clock.now += 0.5
        assert wrong(guesses) == "does not fit"


def test_wrong_guesses_are_forgotten_one_by_one():
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(3):
        wrong(guesses)
    clock.now += 40
    # Two of three are forgotten: two more are free, not three.
    assert [wrong(guesses)[:8] for _ in range(3)] == ["does not", "does not", "Too many"]


def test_a_right_one_and_a_failing_store_are_no_wrong_guesses():
    guesses = Guesses(Clock())
    for _ in range(20):
        with guesses.guess(ONE):
            pass
        with pytest.raises(StoreError), guesses.guess(ONE):
            raise StoreError("locked")
    assert wrong(guesses) == "does not fit"


def test_many_guesses_at_once_are_no_better_than_one_by_one():
    guesses, all_in = Guesses(Clock()), threading.Barrier(3)

    def attempt(_: int) -> str:
        try:
            with guesses.guess(ONE):
                # No free guess ends before the last one has begun.
                all_in.wait(30)
                raise AccessError("does not fit")
        except AccessError as error:
            return str(error)[:8]

    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(attempt, range(12)))
    assert said.count("does not") == 3 and said.count("Too many") == 9


def test_thousands_of_names_and_addresses_do_not_fill_the_memory_nor_wash_a_guesser_away():
    clock = Clock()
    guesses = Guesses(clock, most=100)
    for _ in range(4):
        wrong(guesses)
        clock.now += 2
    for n in range(5000):
        wrong(guesses, {("name", n): BOUND, ("address", n): BOUND})
        assert len(guesses) <= 102
    assert "Wait" in wrong(guesses)
    clock.now += 1e4
    for n in range(60):
        wrong(guesses, {("name", n): BOUND, ("address", n): BOUND})
    assert len(guesses) <= 102


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 1000, "x" * 64),
    ],
)
def test_a_household_counts_as_one_address(address: str, counted: str):
    assert network(address) == counted


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects")
    make_project(folder, count=1).close()
    with open_project(folder / "study") as project:
        project.add_account("anna", "annotator", "her own")
    return folder


@pytest.fixture
def sessions(root: Path):
    bench = Bench(root)
    made = Sessions(bench, clock=Clock())
    yield made
    bench.close()


def refusal(enter: Callable[[], object]) -> str:
    with pytest.raises(AccessError) as told:
        enter()
    return str(told.value)


def test_one_guesser_waits_and_keeps_nobody_else_out(sessions: Sessions):
    for n in range(8):
        # Spaces around a name are no other name.
        told = refusal(
            lambda n=n: sessions.sign_in("study", "anna" + " " * n, "x", address="1.1.1.1")
        )
        assert ("Wait" in told) == (n >= 5)
    assert "Wait" in refusal(
        lambda: sessions.sign_in("study", "anna", "her own", address="1.1.1.1")
    )
    assert sessions.sign_in("study", "anna", "her own", address="2.2.2.2")


def test_guessers_from_everywhere_lock_out_strangers_for_seconds_and_a_known_browser_never(
    sessions: Sessions,
):
    known = sessions.sign_in("study", "anna", "her own", address="2.2.2.2").known
    tried = [
        refusal(lambda n=n: sessions.sign_in("study", "anna", "x", address=f"1.1.1.{n}"))
        for n in range(50)
    ]
    assert ["Wait" in told for told in tried] == [False] * 40 + [True] * 10

    def enter(password: str = "her own", **more):
        return sessions.sign_in("study", "anna", password, **more)

    assert "Wait 2 s" in refusal(lambda: enter(address="3.3.3.3"))
    assert enter(address="1.1.1.1", known=known)
    # Nobody else's, no session's, and none made up, is a known browser.
    ben = sessions.sign_in("study", "ben", "", address="2.2.2.2")
    for token in (ben.known, ben.session, known[:-1] + "x", "x"):
        assert "Wait" in refusal(lambda token=token: enter(address="3.3.3.3", known=token))
    # A stolen one is worth a few guesses.
    tried = [refusal(lambda: enter("x", known=known)) for _ in range(6)]
    assert ["Wait" in told for told in tried] == [False] * 5 + [True]


def test_neither_the_answer_nor_its_time_tells_names_or_projects(root: Path):
    bench = Bench(root)
    seconds: dict[tuple[str, str], list[float]] = {}
    said = set()
    for _ in range(5):
        for place in (("study", "anna"), ("study", "nobody"), ("none", "anna")):
            sessions = Sessions(bench)
            begun = time.thread_time()
            said.add(refusal(lambda s=sessions, p=place: s.sign_in(*p, "x")))
            seconds.setdefault(place, []).append(time.thread_time() - begun)
    bench.close()
    assert len(said) == 1
    fastest = [min(times) for times in seconds.values()]
    # A hash is most of each: without it, an answer takes a tenth of the time.
    assert max(fastest) < 2 * min(fastest), seconds
