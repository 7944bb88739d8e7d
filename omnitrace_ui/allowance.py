"""How much one visitor, and all together, may ask of this server; every bound is a setting.

Each field is an option of ``app.py`` and, in capitals after ``OMNITRACE_``, a variable of the
environment: ``waiting`` is ``--waiting`` and ``OMNITRACE_WAITING``. What is beyond a bound is
refused with a message that says what to do.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from core.errors import InputError
from core.media import Limits

PREFIX = "OMNITRACE_"
_MEGA, _GIGA = 10**6, 10**9


def _bound(default: int, about: str, *, least: int = 1) -> int:
    return field(default=default, metadata={"about": about, "least": least})


@dataclass(frozen=True)
class Allowance:
    """Bounds of a public server, whole numbers."""

    at_once: int = _bound(1, "answers that are written at one time")
    waiting: int = _bound(32, "visitors that may wait for the model")
    per_address: int = _bound(8, "answers waiting or being written for one network address")
    generation_seconds: int = _bound(300, "longest time one answer may take")
    answer_tokens: int = _bound(2048, "longest answer, in tokens")
    upload_megabytes: int = _bound(500, "largest file")
    total_megapixels: int = _bound(600, "pictures and film frames of one prompt together")
    total_seconds: int = _bound(3600, "recordings and films of one prompt together")
    visitor_megabytes: int = _bound(2000, "files kept for one visitor")
    disk_gigabytes: int = _bound(20, "files kept for all visitors together")
    visitors: int = _bound(500, "tabs whose traces are remembered at one time")
    keep_minutes: int = _bound(60, "how long a closed tab's trace and files are kept", least=0)
    memory_gigabytes: int = _bound(
        0, "memory the program may claim; 0: as much as the machine gives", least=0
    )

    @property
    def limits(self) -> Limits:
        """Bounds on the media of a prompt."""
        return Limits(
            file_bytes=self.upload_megabytes * _MEGA,
            prompt_pixels=self.total_megapixels * _MEGA,
            prompt_seconds=self.total_seconds,
        )

    @property
    def upload_bytes(self) -> int:
        """Of one file."""
        return self.upload_megabytes * _MEGA

    @property
    def visitor_bytes(self) -> int:
        """Of all files kept for one visitor."""
        return self.visitor_megabytes * _MEGA

    @property
    def disk_bytes(self) -> int:
        """Of all files kept for all visitors."""
        return self.disk_gigabytes * _GIGA


DEFAULT_ALLOWANCE = Allowance()


def add_options(parser: argparse.ArgumentParser) -> None:
    """An option for every bound."""
    group = parser.add_argument_group("what visitors may ask for")
    for bound in fields(Allowance):
        group.add_argument(
            f"--{bound.name.replace('_', '-')}",
            type=int,
            metavar="N",
            help=f"{bound.metadata['about']} ({bound.default})",
        )


def read_allowance(
    args: argparse.Namespace, environment: Mapping[str, str] = os.environ
) -> Allowance:
    """Options as parsed, else the environment, else the defaults.

    Raises:
        InputError: a value is no whole number, or below its least.
    """
    values = {}
    for bound in fields(Allowance):
        given = getattr(args, bound.name)
        said = environment.get(PREFIX + bound.name.upper()) if given is None else given
        if said is not None and said != "":
            values[bound.name] = _whole(bound.name, said, least=bound.metadata["least"])
    return Allowance(**values)


def _whole(name: str, said: str | int, *, least: int) -> int:
    try:
        value = int(said)
    except ValueError as error:
        raise InputError(f"{name} is {said!r}: give a whole number.") from error
    if value < least:
        raise InputError(f"{name} is {value}: give {least} or more.")
    return value
