"""A trace file taken apart and put together otherwise."""

import json
import zipfile
from pathlib import Path

import pytest

from core.errors import TraceFileError
from core.trace import Trace


def refused(path: Path, match: str, folder: Path | None = None) -> None:
    visitor = folder or path.parent / "visitor"
    with pytest.raises(TraceFileError, match=match) as caught:
        Trace.load(path, visitor)
    assert str(path.parent) not in str(caught.value)
    assert path.name in str(caught.value)
    assert not visitor.exists() or not any(visitor.iterdir())


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as content:
        return {name: content.read(name) for name in content.namelist()}


def rewrite(path: Path, content: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as target:
        for name, data in content.items():
            target.writestr(name, data)
    return path


def changed(path: Path, change) -> Path:
    """Rewrite the file's trace.json."""
    content = entries(path)
    document = json.loads(content["trace.json"])
    document = change(document) or document
    return rewrite(path, {**content, "trace.json": json.dumps(document).encode()})
