"""The Explore page's handlers: each takes the visitor's state and what was entered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.curation import DEFAULT_CURATION, Curation
from core.errors import InputError, OmniTraceError
from core.trace import MediaInfo
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.generate import Generator
from omnitrace_ui.actions.keep import open_trace, open_uploaded
from omnitrace_ui.actions.library import Library
from omnitrace_ui.actions.link import TRACE, take_view
from omnitrace_ui.actions.messages import message
from omnitrace_ui.actions.present import show
from omnitrace_ui.actions.prompts import RefusedPartsError, check_files, prompt_form, take_sample
from omnitrace_ui.actions.settings import Settings, curation_values, preset_of, read_settings
from omnitrace_ui.actions.sound import Segmenters, cut
from omnitrace_ui.session import Store, Visitor
from omnitrace_ui.views import GivenPart, Status
from omnitrace_ui.views.wire import JSON

WORLD_ONLY = (
    "The embedded model is a miniature: it knows only its own small world of emoji pictures, plain "
    "speech and short sentences. About anything else it says something silly, and still shows "
    "what it looked at. For real photographs start the app with a larger model."
)


@dataclass(frozen=True)
class Site:
    """What the page stands on."""

    engine: Engine
    store: Store
    library: Library = field(default_factory=Library)
    segmenters: Segmenters = field(default_factory=Segmenters)


class Explore:
    """Handlers of one server; everything that belongs to one visitor is in ``Visitor``."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.generator = Generator(site.engine, site.store)

    def stop(self, visitor: Visitor) -> None:
        """End the running generation within a token; what there is by then stays."""
        visitor.stopping = True

    def check(self, visitor: Visitor, form: Sequence[GivenPart]) -> dict[str, str]:
        """Part's id → why it cannot be used."""
        try:
            check_files(form, visitor, self.site.store, limits=self.site.engine.limits)
        except RefusedPartsError as refused:
            return refused.by_part
        return {}

    def recurate(self, visitor: Visitor, values: dict[str, Any]) -> tuple[JSON, str]:
        """A control was moved: the view under the new settings, and the preset they are."""
        chosen = visitor.settings.segmenter
        visitor.settings = replace(read_settings(values), segmenter=chosen)
        return show(visitor), preset_of(visitor.settings.curation)

    def preset(self, visitor: Visitor, name: str) -> tuple[JSON, dict[str, Any]]:
        """The view under a preset, and the values its controls take.

        Raises:
            InputError: there is no such preset.
        """
        presets = Curation.presets()
        if not isinstance(name, str) or name not in presets:
            raise InputError(f"No preset {name!r}. Known: {', '.join(presets)}.")
        visitor.settings = replace(visitor.settings, curation=presets[name])
        return show(visitor), curation_values(presets[name])

    def reset(self, visitor: Visitor) -> tuple[JSON, dict[str, Any]]:
        """The view under the default settings, and the values of the curation controls."""
        visitor.settings = Settings()
        return show(visitor), curation_values(DEFAULT_CURATION)

    def cut(self, visitor: Visitor, segmenter: str) -> Iterator[JSON]:
        """A segmenter was chosen: views while the sound of the trace is cut by it."""
        yield from cut(visitor, segmenter, self.site.segmenters, self.site.engine.limits)

    def recut(self, visitor: Visitor) -> Iterator[JSON]:
        """An answer is done, or was given up: cut its sound by the segmenter chosen before."""
        chosen = visitor.settings.segmenter
        if chosen is not None and visitor.status.phase == "done":
            yield from self.cut(visitor, chosen)

    def select(self, visitor: Visitor, span: int) -> JSON:
        """A sentence was selected: it alone brings where its signal fell, and what others say."""
        visitor.selected = span if span >= 0 else None
        return show(visitor)

    def resend(self, visitor: Visitor) -> JSON:
        """The browser missed the prompt or its cut: send both."""
        visitor.sent = ("", "")
        return show(visitor)

    def example(self, visitor: Visitor, index: int) -> tuple[str, list[GivenPart]]:
        """Fill the form with an example.

        Raises:
            InputError: there is no such example, or its media are missing.
        """
        examples = self.site.library.examples
        if not isinstance(index, int) or not 0 <= index < len(examples):
            raise InputError("There is no such example. Reload the page.")
        prompt = take_sample(examples[index].sample, self.site.store.fresh_folder(visitor))
        # Our own files need no check; decoding a film twice would be felt.
        visitor.checked |= {(part.path, part.kind): MediaInfo() for _, part in prompt.media}
        return prompt.instruction, prompt_form(prompt)

    def open_upload(self, visitor: Visitor, path: str) -> JSON:
        """Show an uploaded trace file.

        Raises:
            OmniTraceError: it cannot be opened.
        """
        open_uploaded(visitor, self.site.store, Path(path))
        return show(visitor)

    def open_saved(self, visitor: Visitor, name: str) -> JSON:
        """Show one of the server's saved traces.

        Raises:
            OmniTraceError: there is none of that name.
        """
        open_trace(visitor, self.site.store, self.site.library.trace(name))
        visitor.alongside.gallery, visitor.alongside.gallery_of = name, visitor.trace_key
        return show(visitor)

    def enter(self, visitor: Visitor, parameters: Mapping[str, str]) -> JSON:
        """A page was loaded, perhaps by a link (``actions.link``)."""
        try:
            if TRACE in parameters:
                self.open_saved(visitor, parameters[TRACE])
            if parameters.keys() - {TRACE}:
                take_view(visitor, parameters)
        except OmniTraceError as error:
            visitor.status = Status("error", message(error))
        # Open already, under the settings of the file: the browser was sent nothing yet.
        return self.resend(visitor)

    def is_beyond_its_world(self, visitor: Visitor) -> bool:
        """Whether a model that knows only the miniature world was given something else."""
        trace = visitor.trace
        return (
            trace is not None
            and trace.model.world_only
            and not self.site.library.knows(trace.prompt)
        )
