"""Share what is shown: a link that opens it as it is, and figures for papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from omnitrace_ui.actions.explore import Explore
from omnitrace_ui.actions.keep import save_figure
from omnitrace_ui.actions.settings import curation_values, preset_of
from omnitrace_ui.pages.curation import CurationPanel
from omnitrace_ui.pages.events import AT_ONCE, Updates, signal_choice
from omnitrace_ui.pages.offer import offer
from omnitrace_ui.session import Visitor

_COPY = """async () => {
  if (!new URLSearchParams(location.search).has("trace"))
    return "This answer is not one of this server's saved traces: a link would find nothing. "
      + "Save the trace and send the file; it opens with this sentence and these settings.";
  const address = new URL(location.href);
  for (const name of [...address.searchParams.keys()])
    if (name.startsWith("__")) address.searchParams.delete(name);
  try {
    await navigator.clipboard.writeText(String(address));
    return "Copied. It opens with this sentence and these settings.";
  } catch {
    return "This browser does not let the page copy. Take the link from the address bar.";
  }
}"""


@dataclass(frozen=True)
class Share:
    """The components; ``download`` is never seen, it only carries a file to the browser."""

    link: gr.Button
    said: gr.Markdown
    png: gr.Button
    svg: gr.Button
    download: gr.DownloadButton


def build_share() -> Share:
    """Build them inside the current ``gr.Blocks``."""
    with gr.Row():
        png = gr.Button("Figure, PNG", elem_id="export-png", min_width=120)
        svg = gr.Button("Figure, SVG", elem_id="export-svg", min_width=120)
    link = gr.Button("Copy a link to this view", elem_id="copy-link")
    said = gr.Markdown(elem_id="copied", sanitize_html=True)
    return Share(link, said, png, svg, gr.DownloadButton(visible="hidden"))


def wire_share(actions: Explore, visitor: gr.State, share: Share) -> None:
    """Let them act; the link needs no server."""
    site = actions.site
    share.link.click(None, None, share.said, js=_COPY, **AT_ONCE)
    for button, form in ((share.png, "png"), (share.svg, "svg")):

        def export(mine: Visitor, form: str = form) -> str:
            return str(save_figure(mine, site.store, form, limits=site.engine.limits))

        offer(button, export, [visitor], share.download)


def wire_link(
    visitor: gr.State, panel: CurationPanel, opened: Sequence[gr.events.Dependency]
) -> None:
    """After a trace was opened, let the panel say what its link or file asked for."""
    controls = panel.controls

    def follow(mine: Visitor) -> Updates:
        settings = mine.settings
        values = curation_values(settings.curation)
        return {
            panel.preset: preset_of(settings.curation),
            controls["signal"]: signal_choice(mine),
            controls["text_units"]: settings.granularity.text,
            controls["bin_seconds"]: settings.granularity.bin_seconds,
            **{controls[name]: value for name, value in values.items()},
        }

    for event in opened:
        event.success(follow, visitor, [panel.preset, *controls.values()], **AT_ONCE)
