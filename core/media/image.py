"""Pictures: any common file → upright 8-bit RGB, and words about what was changed on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from core.errors import InputError, LimitError
from core.media.container import open_checked
from core.media.limits import Limits
from core.trace import MediaInfo

Image.init()  # Else only a few formats are known until the first unknown one.


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture: ``pixels`` is RGB, upright, opaque; ``info`` gives its size and notes."""

    pixels: Image.Image
    info: MediaInfo


def load_image(path: Path, name: str, *, limits: Limits) -> Picture:
    """Decode a picture: EXIF rotation applied, alpha laid on white, an animation's first frame.

    Raises:
        InputError: not a picture, damaged, or of a colour space that cannot be shown as RGB.
        LimitError: beyond ``limits``, found in the header, before anything is decoded.
    """
    container = open_checked(path, name, "image", limits)
    try:
        # One format, so that no plugin with a program behind it (EPS: Ghostscript) is ever tried.
        with Image.open(path, formats=[container.name.upper()]) as image:
            limits.require_size(name, *image.size)
            # Phones store a second view beside a JPEG (MPO); that is no animation.
            animated = image.format != "MPO" and getattr(image, "is_animated", False)
            image.load()
            pixels, notes = _rgb(ImageOps.exif_transpose(image))
    except (InputError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise LimitError(
            f"{name!r} has more than twice {Image.MAX_IMAGE_PIXELS:,} pixels; the limit is "
            f"{limits.image_pixels:,} pixels. Scale it down."
        ) from error
    except Exception as error:  # Decoders of hostile bytes raise nearly every class there is.
        raise InputError(
            f"{name!r} cannot be decoded: damaged, cut short or of a rare kind. "
            "Save it anew as PNG or JPEG."
        ) from error
    if animated:
        notes = ("Only the first frame of the animation is used.", *notes)
    return Picture(pixels, MediaInfo(width=pixels.width, height=pixels.height, notes=notes))


def _rgb(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """An image of any mode as RGB, with notes."""
    if image.mode.startswith("I") or image.mode == "F":
        grey, notes = _eight_bits(np.asarray(image))
        return Image.fromarray(grey).convert("RGB"), notes
    if image.has_transparency_data:
        over = image.convert("RGBA")
        ground = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(ground, over).convert("RGB"), (
            "Transparent parts are shown on white.",
        ) * (over.getextrema()[3][0] < 255)
    return image.convert("RGB"), ()


def _eight_bits(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Greyscale of more than 8 bits → uint8: 16-bit by its full range, other by its extent."""
    if values.dtype.kind in "iu" and values.min() >= 0:
        # Pillow holds 16-bit files as uint16 of either byte order, and some of them as int32.
        if values.dtype.itemsize == 2 or 255 < values.max() <= 65535:
            return np.round(values / 257.0).astype(np.uint8), ()
        if values.max() <= 255:
            return values.astype(np.uint8), ()
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    scaled = (finite - low) * (255.0 / (high - low)) if high > low else np.zeros_like(finite)
    return np.round(scaled).astype(np.uint8), (
        f"Grey values {low:g} to {high:g} are shown as black to white.",
    )
