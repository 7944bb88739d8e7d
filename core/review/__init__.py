"""The annotators' bench (appendix B.2): people check a judge's labels; how far do they agree?

    project = create_project("study", traces="traces", labels="judge.jsonl",
                             annotators=["anna", "ben"], overlap=0.2, seed=1, blind=True)
    desk = project.desk(project.sign_in("anna"))
    place = desk.progress().resume
    view = desk.sentence(place)
    view = desk.write(place, select("p0.1"), version=view.state.version, event_id=new_id())
    view = desk.write(place, commit(), version=view.state.version, event_id=new_id())

Every call that returns has reached the disk. A change with a stale version is refused with
``StaleError``, whose ``view`` is the newer state; one with a known event id is answered as the
first time and not written again, so that a retry after a lost reply is safe.
"""

from core.review.changes import (
    Change,
    accept,
    commit,
    draw,
    flag,
    note,
    replace,
    select,
    undo,
)
from core.review.desk import Desk
from core.review.lead import LeadDesk, LeadView
from core.review.project import Project, create_project, find_projects, open_project
from core.review.records import (
    FLAGS,
    GOLD,
    Account,
    Item,
    ItemView,
    Place,
    Progress,
    SentenceState,
    SentenceView,
    Verdict,
)
from core.review.store import new_id

__all__ = [
    "FLAGS",
    "GOLD",
    "Account",
    "Change",
    "Desk",
    "Item",
    "ItemView",
    "LeadDesk",
    "LeadView",
    "Place",
    "Progress",
    "Project",
    "SentenceState",
    "SentenceView",
    "Verdict",
    "accept",
    "commit",
    "create_project",
    "draw",
    "find_projects",
    "flag",
    "new_id",
    "note",
    "open_project",
    "replace",
    "select",
    "undo",
]
