"""The model's own code, run only after a person has said that they trust it.

It is imported straight from the folder. Transformers' way (``AutoModel``) would demand every
package that any branch of the code might import, speech synthesis among them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType

from core.errors import ModelError


@dataclass(frozen=True)
class HubCode:
    """The modules that the adapter calls."""

    configuration: ModuleType
    modeling: ModuleType
    processing: ModuleType
    tokenization: ModuleType


def import_code(folder: Path, *, name: str, trusted: bool) -> HubCode:
    """Import the code that lies in a model's folder.

    Args:
        folder: holds ``modeling_minicpmo.py`` and its neighbours.
        name: of the model, for messages.
        trusted: a person allowed this code to run, with all rights of this program.

    Raises:
        ModelError: not trusted, or the folder lacks the code.
    """
    if not trusted:
        raise ModelError(
            f"{name} brings modelling code of its own, which would run here with all the rights "
            "of this program. Read it, and if you trust it, load with trust_remote_code=True."
        )
    files = ("configuration", "modeling", "processing")
    lacking = [f"{file}_minicpmo.py" for file in files if not _file(folder, file).exists()]
    if lacking:
        raise ModelError(
            f"{name} lacks its modelling code: {', '.join(lacking)}. Get its files anew, with "
            "trust_remote_code=True."
        )
    package = f"minicpm_o_code_{sha256(str(folder).encode()).hexdigest()[:12]}"
    if package not in sys.modules:
        module = ModuleType(package)
        module.__path__ = [str(folder)]
        sys.modules[package] = module
    return HubCode(
        import_module(f"{package}.configuration_minicpmo"),
        import_module(f"{package}.modeling_minicpmo"),
        import_module(f"{package}.processing_minicpmo"),
        import_module(f"{package}.tokenization_minicpmo_fast"),
    )


def _file(folder: Path, kind: str) -> Path:
    return folder / f"{kind}_minicpmo.py"
