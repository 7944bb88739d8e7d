"""Clicks and says so, to be killed: ``python -m tests.core.review.clicking FOLDER N``.

Clicks 1 to N go round the sentences of anna's queue and toggle a unit; each is printed once the
store has acknowledged it. Whoever starts it again goes on behind the last event of the store, and
first repeats that event, as a browser does whose reply was lost.
"""

import sys
from pathlib import Path

from core.review import Desk, Place, open_project, select
from tests.core.review.making import desk_of


def places(desk: Desk) -> list[Place]:
    """All sentences of the queue."""
    return [Place(item, sentence) for item in desk.queue for sentence in range(3)]


def stored(desk: Desk) -> int:
    """How many clicks the store holds."""
    return sum(desk.sentence(place).state.version for place in places(desk))


def main(folder: str, clicks: int) -> None:
    with open_project(Path(folder)) as project:
        desk = desk_of(project)
        rounds = places(desk)
        for click in range(max(stored(desk), 1), clicks + 1):
            version, at = divmod(click - 1, len(rounds))
            change = select("p0.0", on=version % 2 == 0)
            view = desk.write(rounds[at], change, version=version, event_id=f"click-{click}")
            assert view.state.version == version + 1
            print(click, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
