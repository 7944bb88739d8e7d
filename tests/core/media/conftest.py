from pathlib import Path

import gradio
import pytest

from core.media import Limits

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "tests" / "data" / "media"
GRADIO = Path(gradio.__file__).parent / "media_assets"


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def files() -> Path:
    """Small films and recordings with known contents; see make.sh there."""
    return FILES


@pytest.fixture
def packaged() -> Path:
    """The photographs, speech and films that gradio's package carries."""
    return GRADIO
