"""Exports to a private data set on the hub, on a schedule; off unless somebody starts it.

The token comes from the environment (``HF_TOKEN``), as everywhere in huggingface_hub.
"""

from __future__ import annotations

import os
from pathlib import Path

from huggingface_hub import CommitInfo, CommitScheduler, HfApi
from huggingface_hub.errors import HfHubHTTPError

from core.errors import AccessError, StoreError
from core.review.lead import LeadDesk


class ExportSchedule(CommitScheduler):
    """Exports anew every so many minutes and uploads what changed, in the background.

    As a context manager it uploads once more when it ends.
    """

    def __init__(
        self, desk: LeadDesk, folder: Path, dataset: str, *, minutes: float, token: str, within: str
    ) -> None:
        self._desk = desk
        super().__init__(
            repo_id=dataset,
            repo_type="dataset",
            folder_path=folder,
            path_in_repo=within,
            every=minutes,
            private=True,
            hf_api=HfApi(token=token),
        )

    def push_to_hub(self) -> CommitInfo | None:
        """Export, then upload the files that changed; called by the schedule."""
        self._desk.export(self.folder_path)
        return super().push_to_hub()


def schedule_exports(
    desk: LeadDesk, folder: str | Path, dataset: str, *, minutes: float = 30, within: str = ""
) -> ExportSchedule:
    """Begin to upload a project's exports.

    Args:
        desk: a lead's.
        folder: where exports are written; nothing else may be in it.
        dataset: ``OWNER/NAME``; made private if it does not exist.
        minutes: between two uploads.
        within: folder of the data set, for several projects in one.

    Raises:
        AccessError: there is no token in the environment.
        StoreError: the hub cannot be reached or refuses.
    """
    token = os.environ.get("HF_TOKEN")
    if not token:
        raise AccessError("Set HF_TOKEN to a token that may write data sets, to upload exports.")
    try:
        return ExportSchedule(
            desk, Path(folder), dataset, minutes=minutes, token=token, within=within
        )
    except (HfHubHTTPError, OSError) as error:
        raise StoreError(
            f"The data set {dataset!r} cannot be reached on the hub, or the token may not write "
            "it. Nothing is uploaded; work goes on."
        ) from error
