"""The segmenters by name. A new one is a file with ``load``, and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from core.errors import InputError
from core.segmenters.base import Segmenter, full_name
from core.segmenters.chunks import Chunked, chunked_name
from core.segmenters.embedding import embedder_name, load_embedder


@dataclass(frozen=True)
class KnownSegmenter:
    """A segmenter that a person can pick.

    Attributes:
        name: what ``load_segmenter`` takes.
        title: for people.
        module: with ``load(model) -> Segmenter``, ``model`` being empty if none was named.
    """

    name: str
    title: str
    module: str


SEGMENTERS: dict[str, KnownSegmenter] = {
    known.name: known
    for known in (
        KnownSegmenter("bins", "Fixed bins", "core.segmenters.bins"),
        KnownSegmenter("pauses", "Speech between pauses · offline", "core.segmenters.pauses"),
        KnownSegmenter("whisper", "Whisper · words", "core.segmenters.whisper"),
        KnownSegmenter("paraformer", "Paraformer · words", "core.segmenters.paraformer"),
        KnownSegmenter(
            "scribe",
            "Scribe v2 · words and speakers · sends the sound to ElevenLabs",
            "core.segmenters.scribe",
        ),
    )
}


def load_segmenter(spec: str, *, chunks: str | None = None) -> Segmenter:
    """Load a segmenter, so that whatever it lacks is told before it is needed.

    Args:
        spec: ``NAME`` or ``NAME:MODEL``, e.g. ``pauses``, ``bins:2``, ``whisper:small``,
            ``whisper:FOLDER``. A hub id or size that is named is fetched if it must be.
        chunks: merge its sentences into semantic chunks with this embedding model: a folder or a
            hub id; empty: the published one, if it is on this machine.

    Raises:
        InputError: the name is unknown, or what follows it is not understood.
        MissingExtraError: a package is not installed.
        ModelError: weights or a key are missing, or the hub cannot be reached.
    """
    name, _, model = spec.partition(":")
    if name not in SEGMENTERS:
        raise InputError(f"There is no segmenter {name!r}. Known: {', '.join(SEGMENTERS)}.")
    segmenter = import_module(SEGMENTERS[name].module).load(model)
    return segmenter if chunks is None else Chunked(segmenter, load_embedder(chunks))


def segmenter_name(spec: str, *, chunks: str | None = None) -> str:
    """The name of what ``load_segmenter`` gives for these, without loading it."""
    name, _, model = spec.partition(":")
    plain = full_name(name, model or ("1" if name == "bins" else ""))
    return plain if chunks is None else chunked_name(plain, embedder_name(chunks))
