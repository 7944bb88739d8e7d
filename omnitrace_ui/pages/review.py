"""The Review page: people check a judge's labels, one answer at a time (appendix B.2)."""

from __future__ import annotations

import gradio as gr

from omnitrace_ui.components.review_view import ReviewView

TITLE = "OmniTrace Review"


def review_page(app: gr.Blocks) -> None:
    """Add the page to the app, at ``/review``; outside of the app's own context.

    What it asks for is answered by ``omnitrace_ui.review_routes``.
    """
    with app.route("Review", "/review"):
        gr.Navbar(main_page_name="Explore")
        gr.HTML(f"<h1>{TITLE}</h1><p>Which sources support this sentence?</p>", elem_id="masthead")
        ReviewView(elem_id="review")
