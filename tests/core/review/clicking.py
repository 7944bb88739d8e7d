"""Clicks and says so, to be killed: ``python -m tests.core.review.clicking FOLDER N``.

Clicks 1 to N toggle a unit; each is printed once the store has acknowledged it. Whoever starts
it again goes on behind the last event of the store, and first repeats that event, as a browser does
whose reply was lost.
"""

import sys

from core.review import Place, open_project, select
from tests.core.review.making import desk_of


def main(folder: str, clicks: int) -> None:
    with open_project(folder) as project:
        desk = desk_of(project)
        place = Place(desk.queue[0], 0)
        done = desk.sentence(place).state.version
        for click in range(max(done, 1), clicks + 1):
            change = select("p0.0", on=click % 2 == 1)
            view = desk.write(place, change, version=click - 1, event_id=f"click-{click}")
            assert view.state.version == click
            print(click, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
