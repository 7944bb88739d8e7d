"""Every knob of curation: which values each may take, the paper's, and table 3's ablations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal

from core.errors import InputError

ASSIGNMENTS = ("mass", "peak")
LANE_POLICIES = ("joint", "per_lane", "reference")
OTHER = "OTHER"
"""Key of a POS table: the weight of any tag that the table does not name."""


class PosWeights(Mapping[str, float]):
    """An immutable, hashable table of POS weights; a tag it does not name has ``OTHER``'s."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = {**weights, OTHER: weights.get(OTHER, 0.3)}

    def of(self, pos: str) -> float:
        """The weight of a universal POS tag."""
        return self._weights.get(pos, self._weights[OTHER])

    def __getitem__(self, pos: str) -> float:
        return self._weights[pos]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def __hash__(self) -> int:
        return hash(frozenset(self._weights.items()))

    def __eq__(self, other: object) -> bool:
        return self._weights == other if isinstance(other, Mapping) else NotImplemented

    def __repr__(self) -> str:
        return f"PosWeights({self._weights!r})"


PAPER_WEIGHTS = PosWeights(
    {
        "NOUN": 1.0,
        "PROPN": 1.0,
        "NUM": 1.0,
        "VERB": 0.9,
        "ADJ": 0.8,
        "ADV": 0.5,
        **dict.fromkeys(("AUX", "PRON", "DET", "ADP", "CCONJ", "SCONJ", "PART"), 0.1),
        "PUNCT": 0.0,
        OTHER: 0.3,
    }
)
"""Rule 3's table."""


def _check_number(name: str, value: object, most: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 <= value <= most):  # also refuses NaN
        raise InputError(f"Curation setting {name} is {value!r}: use a number from 0 to {most:g}.")


def _check_choice(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"Curation setting {name} is {value!r}. Known: {', '.join(known)}.")


@dataclass(frozen=True)
class Curation:
    """Every knob of curation (rules 2–7).

    Attributes:
        coverage: stop once the selected shares reach this, 0–1.
        min_share, min_run: skip a unit whose share *and* run are below these, 0–1.
        alpha: weight of the share beside the run in a unit's score, 0–1.
        gamma: exponent of the confidence, 0–10; 0 switches it off.
        pos_weights: universal POS → weight, ≥ 0; any mapping is accepted.
        assignment: a unit's evidence is its ``mass`` (the paper) or its ``peak`` (its code).
        lanes: ``joint``: all units compete and are curated together. ``per_lane``: apart in every
            lane. ``reference``: as the published code does, see ``contests``.

    Raises:
        InputError: a value is out of its range.
    """

    coverage: float = 0.85
    min_share: float = 0.07
    min_run: float = 0.10
    alpha: float = 0.8
    gamma: float = 2.0
    pos_weights: Mapping[str, float] = PAPER_WEIGHTS
    assignment: Literal["mass", "peak"] = "peak"
    lanes: Literal["joint", "per_lane", "reference"] = "joint"

    def __post_init__(self) -> None:
        for name in ("coverage", "min_share", "min_run", "alpha"):
            _check_number(name, getattr(self, name), 1.0)
        _check_number("gamma", self.gamma, 10.0)
        if not isinstance(self.pos_weights, Mapping):
            raise InputError(f"pos_weights is {self.pos_weights!r}: use a table of tag → weight.")
        for pos, weight in self.pos_weights.items():
            _check_number(f"pos_weights[{pos!r}]", weight, 10.0)
        _check_choice("assignment", self.assignment, ASSIGNMENTS)
        _check_choice("lanes", self.lanes, LANE_POLICIES)
        if not isinstance(self.pos_weights, PosWeights):
            object.__setattr__(self, "pos_weights", PosWeights(self.pos_weights))

    @staticmethod
    def presets() -> Mapping[str, Curation]:
        """``default``; ``paper`` (its published code); table 3's rows: ``paper`` less one part."""
        paper = Curation(assignment="peak", lanes="reference")
        ablated = {name: replace(paper, **changes) for name, changes in _ABLATIONS.items()}
        return MappingProxyType({"default": DEFAULT_CURATION, "paper": paper, **ablated})

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values; ``from_json`` reads them back exactly."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "pos_weights": dict(self.pos_weights)}

    @classmethod
    def from_json(cls, value: object) -> Curation:
        """Read ``to_json``'s form; absent settings take their defaults.

        Raises:
            InputError: not an object, an unknown setting, or a value out of range.
        """
        if not isinstance(value, Mapping):
            raise InputError(f"Curation settings must be a JSON object, not {value!r}.")
        known = [f.name for f in fields(cls)]
        unknown = sorted(map(str, set(value) - set(known)))
        if unknown:
            raise InputError(f"Unknown curation setting {unknown[0]!r}. Known: {', '.join(known)}.")
        return cls(**value)


DEFAULT_CURATION = Curation()

_ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "no POS weights": {"pos_weights": PosWeights(dict.fromkeys(PAPER_WEIGHTS, 1.0))},
    "no confidence shaping": {"gamma": 1.0},
    "no confidence": {"gamma": 0.0},
    "no runs": {"alpha": 1.0, "min_run": 1.0},
    "no thresholds": {"min_share": 0.0, "min_run": 0.0},
}
"""Table 3's rows in its order. Its second and third differ by formulas lost in conversion; the
exponent 1 (confidence unsharpened), then 0 (none), fits the fall of precision that it prints."""
