"""A recogniser's weights: a local folder, the hub's cache, or the hub if a person named them.

The same promise as ``core.models.registry`` gives: without a network this says what is missing,
within seconds, and nothing is fetched that was not asked for by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.errors import ModelError

ANSWER_SECONDS = 5.0
"""How long the hub may take to answer before it counts as out of reach."""

_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


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
    if not _HUB_ID.fullmatch(hub_id):
        raise ModelError(f"There are no weights {named!r}: give a folder or a hub id (OWNER/NAME).")
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = list(files)
    try:
        return Path(snapshot_download(hub_id, allow_patterns=wanted, local_files_only=True))
    except (LocalEntryNotFoundError, OSError):
        pass
    if not named:
        raise ModelError(
            f"The weights {default} are not on this machine, and nothing is fetched unasked. To "
            f"fetch them, name them ({use}{default}); or give a folder that holds them "
            f"({use}FOLDER)."
        )
    try:
        HfApi().model_info(hub_id, timeout=ANSWER_SECONDS)
        return Path(snapshot_download(hub_id, allow_patterns=wanted))
    except Exception as error:  # Whatever the network layer raises, the message is the same.
        missing = isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 404)
        why = "the hub has none of that name" if missing else "the hub cannot be reached"
        raise ModelError(
            f"The weights {hub_id!r} are not on this machine, and {why}. Where there is a network, "
            f"run `hf download {hub_id}`; or give a folder that holds them ({use}FOLDER)."
        ) from error


def shown(named: str) -> str:
    """Weights' name fit to show and to keep: of a folder, its last part."""
    return Path(named).resolve().name if named and Path(named).is_dir() else named
