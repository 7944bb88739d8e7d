"""The judge asked over real HTTP, in no time: what would be slept is noted."""

from pathlib import Path

from core.evaluation.judge.cache import Cache
from core.evaluation.judge.gemini import Gemini
from core.evaluation.judge.openai_compatible import OpenAICompatible
from core.evaluation.judge.patience import Patience
from core.evaluation.judge.run import Judged, judge_folder
from core.trace import Trace
from tests.core.evaluation.judge.answered import answered
from tests.core.evaluation.judge.stand_in import StandIn

APIS = ("openai", "gemini")


def save(folder: Path, name: str, instruction: str = "Say what is there.") -> Trace:
    (folder / "traces").mkdir(exist_ok=True)
    trace = answered(folder, instruction)
    trace.save(folder / "traces" / f"{name}.omnitrace")
    return trace


def asked_by(
    judge: StandIn, folder: Path, *, api: str = "openai", waits: list | None = None, **options
) -> Judged:
    service = (
        OpenAICompatible("wise", base_url=judge.openai)
        if api == "openai"
        else Gemini("wise", base_url=judge.address)
    )
    noted = [] if waits is None else waits
    patience = Patience(sleep=noted.append, chance=lambda: 0.0)
    return judge_folder(
        folder / "traces", service, Cache(folder / "cache"), patience=patience, **options
    )
