"""The paper that a figure is drawn on: everything goes downwards, measured in points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnitrace_ui.views.figure.flow import printable, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {
    "text": "#0067a8",
    "image": "#b04a00",
    "audio": "#00735a",
    "video_frames": "#a0337e",
    "video_sound": "#6b48b8",
}
"""As on the page, in the light theme."""

WIDTH = 504.0
"""Points: seven inches, as wide as a page's text."""

MARGIN, SMALL, BODY, LINE = 10.0, 7.5, 9.5, 16.0
"""Points; the last is from one line of the answer to the next."""

QUIET, INK, GROUND = "#5b6270", "#1f2430", "#f3f4f7"
MOST_LINES = 40
"""Of one text."""


class Sheet:
    """Draws downwards from the top; ``y`` is where the next thing goes."""

    def __init__(self) -> None:
        from matplotlib.figure import Figure

        self._figure: Figure = Figure(figsize=(WIDTH / 72, 1), facecolor="white")
        self.axes = self._figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.y = MARGIN

    def figure(self) -> Figure:
        """What was drawn, as high as it became."""
        height = self.y + MARGIN
        self._figure.set_size_inches(WIDTH / 72, height / 72)
        self.axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        return self._figure

    def text(self, x: float, y: float, text: str, size: float = BODY, **how: object) -> None:
        """Words, on their baseline."""
        how = {"color": INK, "va": "baseline", **how}
        self.axes.text(x, y, printable(text), fontsize=size, parse_math=False, **how)

    def box(self, x: float, y: float, width: float, height: float, **how: object) -> None:
        """A rectangle."""
        from matplotlib.patches import Rectangle

        self.axes.add_patch(Rectangle((x, y), width, height, **{"linewidth": 0, **how}))

    def badge(self, x: float, y: float, number: int, colour: str) -> None:
        """A number in a disc."""
        from matplotlib.patches import Circle

        self.axes.add_patch(Circle((x, y), 5.2, facecolor=colour, linewidth=0, zorder=5))
        self.text(x, y, str(number), 6.5, color="white", ha="center", va="center_baseline",
                  fontweight="bold", zorder=6)  # fmt: skip

    def heading(self, text: str) -> None:
        """A line above what follows."""
        self.y += 12
        self.text(MARGIN, self.y, text, SMALL, color=QUIET, fontweight="bold")
        self.y += 3

    def image(self, pixels: np.ndarray, x: float, y: float, width: float, height: float) -> None:
        """Pixels, RGB."""
        self.axes.imshow(
            pixels,
            extent=(x, x + width, y + height, y),
            aspect="auto",
            interpolation="nearest",
            zorder=3,
        )

    def elided(self, more: bool) -> None:
        """Dots where something was left out."""
        if more:
            self.y += LINE
            self.text(MARGIN, self.y, "…", color=QUIET)


def shortened(text: str, width: float, size: float) -> str:
    """One line that fits."""
    text = " ".join(printable(text).split())
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[: max(0, min(len(text) - 1, int(len(text) * 0.95)))]
    return text + "…"
