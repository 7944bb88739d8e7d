"""Precision, recall and F1 summed over an answer's sentences, by modality.

``sums_of`` says what is summed, a sentence at a time. ``Overlap`` finds the same numbers, to the
last digit, for many methods at once: a method's citations are a table of sentences × units, and the
elements of ``metrics`` are columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from core.evaluation.metrics import MODALITIES, Element, agreement, of_modality

OVERALL = "all"
"""The modality of a score over all elements of a sentence together."""

COMPARED = (OVERALL, *MODALITIES)


class Sums(NamedTuple):
    """Over an answer's sentences: sums of precision, recall and F1, and how many count."""

    precision: float
    recall: float
    f1: float
    sentences: float


def sums_of(
    pairs: Iterable[tuple[frozenset[Element], frozenset[Element]]],
) -> Iterator[tuple[str, Sums]]:
    """Modality → sums of ``(cited, labelled)``; a modality that no sentence names is left out."""
    compared: dict[str, list[tuple[float, float, float]]] = {}
    for elements, labelled in pairs:
        for modality in COMPARED:
            if modality == OVERALL:
                one = agreement(elements, labelled)
            else:
                one = agreement(of_modality(elements, modality), of_modality(labelled, modality))
                if not one.cited and not one.labelled:
                    continue
            compared.setdefault(modality, []).append((one.precision, one.recall, one.f1))
    for modality, values in compared.items():
        yield modality, Sums(*map(sum, zip(*values, strict=True)), len(values))


class Asked(NamedTuple):
    """What a sentence should cite, and unit by unit what citing it claims."""

    elements: frozenset[Element]
    claims: Sequence[frozenset[Element]]


@dataclass(frozen=True, eq=False)
class _Alike:
    """Sentences on the same clocks, for which citing a unit claims the same.

    Attributes:
        rows: int ``(s,)``: their places among all sentences.
        labelled: bool ``(s, E)``.
        claims: float32 ``(n_units, E)``, sparse: 1 where citing the unit claims the element.
        modality: float32 ``(E, len(COMPARED))``: 1 where the element counts.
    """

    rows: np.ndarray
    labelled: np.ndarray
    claims: csr_array
    modality: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[int], asked: Sequence[Asked]) -> _Alike:
        claims = asked[0].claims
        elements = sorted(frozenset().union(*claims, *(one.elements for one in asked)), key=repr)
        column = {element: index for index, element in enumerate(elements)}
        labelled = np.zeros((len(asked), len(elements)), bool)
        for row, one in zip(labelled, asked, strict=True):
            row[[column[element] for element in one.elements]] = True
        columns = [column[element] for claimed in claims for element in claimed]
        ends = np.cumsum([0, *map(len, claims)])
        table = (np.ones(len(columns), np.float32), columns, ends)
        kinds = [[name in (OVERALL, element.modality) for name in COMPARED] for element in elements]
        return cls(
            np.array(rows),
            labelled,
            csr_array(table, shape=(len(claims), len(elements))),
            np.array(kinds, np.float32).reshape(-1, len(COMPARED)),
        )

    def sizes(self, cited: np.ndarray) -> np.ndarray:
        """``Agreement``'s three sizes, float32 ``(3, n, s, len(COMPARED))``."""
        n, rows, units = cited.shape
        claimed = cited.reshape(n * rows, units).astype(np.float32) @ self.claims > 0
        claimed = claimed.reshape(n, rows, -1)
        labelled = np.broadcast_to(self.labelled, claimed.shape)
        return np.stack([claimed & labelled, claimed, labelled]).astype(np.float32) @ self.modality


@dataclass(frozen=True, eq=False)
class Overlap:
    """The labelled sentences of an answer, ready to be compared with what methods cite.

    Attributes:
        sentences: how many.
        alike: the same, by what citing a unit claims.
    """

    sentences: int
    alike: tuple[_Alike, ...]

    @classmethod
    def of(cls, asked: Sequence[Asked]) -> Overlap:
        """``asked``: a sentence each; those that share their ``claims`` are compared together."""
        by_claims: dict[int, list[int]] = {}
        for row, one in enumerate(asked):
            by_claims.setdefault(id(one.claims), []).append(row)
        groups = (_Alike.of(rows, [asked[row] for row in rows]) for rows in by_claims.values())
        return cls(len(asked), tuple(groups))

    def sums(self, cited: np.ndarray) -> np.ndarray:
        """Sums of every method, float64 ``(n, len(COMPARED), 4)``: the fields of ``Sums``.

        Args:
            cited: bool ``(n, sentences, n_units)``: what each of ``n`` methods cites.
        """
        sizes = np.zeros((3, len(cited), self.sentences, len(COMPARED)))
        for some in self.alike:
            sizes[:, :, some.rows] = some.sizes(cited[:, some.rows])
        both, claimed, labelled = sizes
        size = claimed + labelled
        counts = size > 0
        counts[..., COMPARED.index(OVERALL)] = True
        # As ``Agreement`` decides it, where one set or both are empty.
        precision = np.where(claimed > 0, both / np.maximum(claimed, 1), labelled == 0)
        recall = np.where(labelled > 0, both / np.maximum(labelled, 1), claimed == 0)
        f1 = np.where(size > 0, 2 * both / np.maximum(size, 1), 1.0)
        values = np.stack([precision, recall, f1, np.ones_like(f1)], axis=-1)
        # Added in the sentences' order, as ``sums_of`` does: a pairwise sum would round otherwise.
        held = np.where(counts[..., None], values, 0.0)
        return np.add.accumulate(held, axis=1)[:, -1] if self.sentences else held.sum(axis=1)


def by_modality(sums: np.ndarray) -> Mapping[str, Sums]:
    """Modality → sums, of a row of ``Overlap.sums``; one that no sentence names is left out."""
    return {name: Sums(*row) for name, row in zip(COMPARED, sums.tolist(), strict=True) if row[-1]}
