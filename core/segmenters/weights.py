"""A recogniser's weights: a local folder, the hub's cache, or the hub if a person named them.

Nothing is fetched that was not asked for by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import ModelError
from core.hub import cached, fetched, is_hub_id


def find_weights(named: str, *, default: str, use: str, files: Sequence[str]) -> Path:
    """The folder that holds weights.

    Args:
        named: a folder or a hub id; if empty, ``default`` is looked for on this machine only.
        default: the hub id to use if none was named.
        use: how to name weights, for messages: ``whisper:``, ``--chunks ``.
        files: patterns of the files wanted.

    Raises:
        ModelError: they are not here, and were not named, or the hub cannot be reached.
    """
    if named and Path(named).is_dir():
        return Path(named).resolve()
    hub_id = named or default
    if not is_hub_id(hub_id):
        raise ModelError(f"There are no weights {named!r}: give a folder or a hub id (OWNER/NAME).")
    here = cached(hub_id, files)
    if here is not None:
        return here
    if not named:
        raise ModelError(
            f"The weights {default} are not on this machine, and nothing is fetched unasked. To "
            f"fetch them, name them ({use}{default}); or give a folder that holds them "
            f"({use}FOLDER)."
        )
    return fetched(
        hub_id,
        files,
        lacking=f"The weights {hub_id!r} are",
        instead=f"give a folder that holds them ({use}FOLDER)",
    )


def shown(named: str) -> str:
    """Weights' name fit to show and to keep: of a folder, its last part."""
    return Path(named).resolve().name if named and Path(named).is_dir() else named
