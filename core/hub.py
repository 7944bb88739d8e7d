"""Repositories of the model hub: this machine's cache, or the hub for what a person named.

Without a network this says what is missing, within seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import ModelError

ANSWER_SECONDS = 5.0
"""How long the hub may take to answer before it counts as out of reach."""

_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


def is_hub_id(name: str) -> bool:
    """Whether a name is ``OWNER/NAME``."""
    return _HUB_ID.fullmatch(name) is not None


def cached(hub_id: str, files: Sequence[str]) -> Path | None:
    """The folder of a repository that was fetched before; ``files``: patterns of those wanted."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=list(files), local_files_only=True))
    except (LocalEntryNotFoundError, OSError):
        return None


def fetched(
    hub_id: str,
    files: Sequence[str],
    *,
    lacking: str,
    instead: str,
    part: bool = False,
    on_answer: Callable[[], None] = lambda: None,
) -> Path:
    """The folder of a repository that a person named, fetched now.

    Args:
        hub_id: ``OWNER/NAME``.
        files: patterns of the files wanted.
        lacking: what is missing, to open the message: ``The model 'a/b' is``.
        instead: what else would do, to close it: ``give a folder``.
        part: whether some of it was fetched before and broken off.
        on_answer: called once the hub has answered, before anything large is fetched.

    Raises:
        ModelError: there is none of that name, or the hub cannot be reached.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().model_info(hub_id, timeout=ANSWER_SECONDS)
        on_answer()
        return Path(snapshot_download(hub_id, allow_patterns=list(files)))
    except Exception as error:  # Whatever the network layer raises, the message is the same.
        missing = isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 404)
        why = "the hub has none of that name" if missing else "the hub cannot be reached"
        have = "only in part" if part else "not"
        raise ModelError(
            f"{lacking} {have} on this machine, and {why}. Where there is a network, run "
            f"`hf download {hub_id}`; or {instead}."
        ) from error
