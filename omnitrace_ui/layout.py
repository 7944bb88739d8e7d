"""The app: the only place that puts pages together."""

from __future__ import annotations

import gradio as gr

from core.signals.registry import SIGNALS
from omnitrace_ui.actions.benchmark import Reports
from omnitrace_ui.actions.explore import Explore, Site
from omnitrace_ui.pages.api import build_api
from omnitrace_ui.pages.benchmark import benchmark_page
from omnitrace_ui.pages.explore import explore_page
from omnitrace_ui.pages.review import review_page
from omnitrace_ui.session import Visitor

TITLE = "OmniTrace Explorer"
NO_REPORTS = Reports()
HOURS = 3600
_KEEP_STATE = 12 * HOURS
_KEEP_FILES = (1 * HOURS, 24 * HOURS)
"""How often gradio looks for files that were left behind, and how old those are."""


def build_app(site: Site, *, reports: Reports = NO_REPORTS, review: bool = False) -> gr.Blocks:
    """The whole app, ready to be launched.

    Args:
        site: models, files, examples.
        reports: offered on the Benchmark page.
        review: with the Review page, whose routes are given to ``launch``.
    """
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=_KEEP_FILES
    ) as app:
        gr.Navbar(main_page_name="Explore")
        gr.HTML(
            f"<h1>{TITLE}</h1><p>Which part of which input made the model say this?</p>",
            elem_id="masthead",
        )
        visitor = gr.State(Visitor(), time_to_live=_KEEP_STATE, delete_callback=site.store.forget)
        signals = {name: signal.title for name, signal in SIGNALS.items()}
        explore_page(site, visitor, signals=signals, page=app)
        build_api(Explore(site), app)
    benchmark_page(app, reports, site.store, title=TITLE)
    if review:
        review_page(app)
    return app
