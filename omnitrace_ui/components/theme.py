"""The look of gradio's own widgets: neutral, because colour belongs to the lanes."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes


def theme() -> gr.themes.Base:
    """Slate on white, white on slate; bundled fonts, so that nothing is fetched."""
    neutral = colors.slate
    # Their files of weight 600 lack most letters; of weight 700 they are whole.
    return gr.themes.Default(
        primary_hue=neutral,
        secondary_hue=neutral,
        neutral_hue=neutral,
        text_size=sizes.text_md,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_md,
        font=(fonts.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=(fonts.LocalFont("IBM Plex Mono", weights=(400, 700)), "monospace"),
    ).set(
        color_accent="#4457a6",
        body_text_color_subdued=neutral.c600,
        body_text_color_subdued_dark=neutral.c400,
        block_label_text_color=neutral.c600,
        block_info_text_color=neutral.c600,
        block_info_text_color_dark=neutral.c400,
        input_placeholder_color=neutral.c500,
        button_primary_background_fill=neutral.c800,
        button_primary_background_fill_hover=neutral.c700,
        button_primary_background_fill_dark=neutral.c200,
        button_primary_background_fill_hover_dark="white",
        button_primary_text_color="white",
        button_primary_text_color_dark=neutral.c900,
        button_secondary_background_fill=neutral.c100,
        button_secondary_background_fill_hover=neutral.c200,
        button_secondary_text_color=neutral.c800,
        slider_color=neutral.c600,
        slider_color_dark=neutral.c400,
        checkbox_background_color_selected=neutral.c700,
        checkbox_background_color_selected_dark=neutral.c500,
        block_shadow="none",
    )
