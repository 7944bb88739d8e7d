"""The paper's data sets (table 1), from the files their makers publish → the sample format.

    from core.evaluation.datasets import convert
    convert("mmau", Path("MMAU/mmau-test-mini.json"), Path("mmau-samples"))

Nothing is downloaded: each reader takes the file or folder as it was obtained, and says what it
expects. Questions are worded as in the paper's published samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.evaluation.datasets import cliconsummation, mantis, misp, mmau, mmdialog, videomme

Entry = dict[str, Any]


@dataclass(frozen=True)
class DataSet:
    """How to get a data set, and what reads it.

    Attributes:
        title: as in table 1.
        home: where its makers publish it, and on what terms.
        expects: the file or folder that ``read`` takes.
        read: ``(source, media folder) → entries``; media that are packed inside the source are
            written to the media folder.
    """

    title: str
    home: str
    expects: str
    read: Callable[[Path, Path], Iterator[Entry]]


DATA_SETS: Mapping[str, DataSet] = {
    "mantis": DataSet(
        "Mantis-Eval",
        "hub data set TIGER-Lab/Mantis-Eval, Apache-2.0",
        "mantis_eval/test-00000-of-00001.parquet",
        mantis.read,
    ),
    "mmdialog": DataSet(
        "MMDialog",
        "github.com/victorsungo/MMDialog; on request, for research",
        "a split's conversations.json, with its MEDIA_KEY.jpg files beside or below it",
        mmdialog.read,
    ),
    "cliconsummation": DataSet(
        "CliConSummation",
        "github.com/NLP-RL/MM-CliConSummation; sample open, whole on request",
        "Dataset/SampleDataset.csv (or the whole in that form), with Visuals/ beside it",
        cliconsummation.read,
    ),
    "mmau": DataSet(
        "MMAU",
        "github.com/Sakshi113/MMAU; hub data set gamma-lab-umd/MMAU-test-mini",
        "mmau-test-mini.json, with test-mini-audios/ beside it",
        mmau.read,
    ),
    "misp": DataSet(
        "MISP-Meeting",
        "challenge.xfyun.cn/misp_dataset; signed licence, CC BY-NC-ND 4.0",
        "a folder of sessions, each with meeting_summary.json and one .wav",
        misp.read,
    ),
    "videomme": DataSet(
        "Video-MME",
        "hub data set lmms-lab/Video-MME; research only",
        "videomme/test-00000-of-00001.parquet, with the unpacked data/ of .mp4 beside or above it",
        videomme.read,
    ),
}
"""Name → data set."""


def convert(name: str, source: Path, out: Path) -> Path:
    """Write ``samples.json`` for a data set into a folder; media stay where they are.

    Raises:
        InputError: no such data set, the source is not what it should be (the record is named), or
            the folder cannot be made.
        MissingExtraError: a parquet file, and pyarrow is not installed.
    """
    if name not in DATA_SETS:
        raise InputError(f"No data set {name!r}. Known: {', '.join(DATA_SETS)}.")
    known = DATA_SETS[name]
    if not source.exists():
        raise InputError(
            f"{source.name!r} does not exist. {known.title} is published at {known.home}; nothing "
            f"is downloaded here. Expected: {known.expects}."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {out.name!r} cannot be made: {error.strerror}.") from error
    entries = list(known.read(source, out / "media"))
    if not entries:
        raise InputError(f"{source.name!r} holds no samples. Expected: {known.expects}.")
    path = out / "samples.json"
    path.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
