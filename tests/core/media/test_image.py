from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputError, LimitError
from core.media import Limits, load_image

LIMITS = Limits()


def load(path: Path, limits: Limits = LIMITS):
    return load_image(path, path.name, limits=limits)


def halves(left, right, mode: str = "RGB") -> Image.Image:
    """40×20: one colour on the left half, another on the right."""
    image = Image.new(mode, (40, 20), left)
    image.paste(right, (20, 0, 40, 20))
    return image


@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [
        (1, (40, 20), (5, 10)),
        (2, (40, 20), (35, 10)),
        (3, (40, 20), (35, 10)),
        (4, (40, 20), (5, 10)),
        (5, (20, 40), (10, 5)),
        (6, (20, 40), (10, 5)),
        (7, (20, 40), (10, 35)),
        (8, (20, 40), (10, 35)),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_every_exif_orientation_comes_out_upright(tmp_path, orientation, size, red, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    halves("red", "blue").save(path, exif=exif)
    picture = load(path)
    assert picture.pixels.size == size == (picture.info.width, picture.info.height)
    r, _, b = picture.pixels.getpixel(red)
    assert r > 200 > 60 > b


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_on_white(tmp_path, mode):
    clear, half = ((0, 0, 0, 0), (0, 0, 0, 128)) if mode == "RGBA" else ((0, 0), (0, 128))
    halves(clear, half, mode).save(tmp_path / "a.png")
    picture = load(tmp_path / "a.png")
    assert picture.pixels.getpixel((0, 0)) == (255, 255, 255)
    assert picture.pixels.getpixel((39, 0)) == (127, 127, 127)
    assert "white" in picture.info.notes[0]


def test_palette_with_a_transparent_entry(tmp_path):
    image = halves("red", "blue").quantize(4)
    image.save(tmp_path / "p.png", transparency=image.getpixel((0, 0)))
    picture = load(tmp_path / "p.png")
    assert picture.pixels.getpixel((0, 0)) == (255, 255, 255)
    assert picture.pixels.getpixel((39, 0)) == (0, 0, 255)


def test_an_opaque_alpha_channel_is_not_worth_a_note(tmp_path):
    halves((9, 8, 7, 255), (1, 2, 3, 255), "RGBA").save(tmp_path / "a.png")
    picture = load(tmp_path / "a.png")
    assert picture.pixels.getpixel((0, 0)) == (9, 8, 7)
    assert picture.info.notes == ()


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_an_animation_gives_its_first_frame_and_says_so(tmp_path, suffix):
    path = tmp_path / f"moving{suffix}"
    frames = [Image.new("RGB", (30, 30), c) for c in ("red", "lime", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, lossless=True)
    picture = load(path)
    assert picture.pixels.getpixel((3, 3)) == pytest.approx((255, 0, 0), abs=3)
    assert "first frame" in picture.info.notes[0]


def test_cmyk(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "c.jpg", quality=95)
    assert load(tmp_path / "c.jpg").pixels.getpixel((0, 0)) == pytest.approx((254, 0, 0), abs=4)


@pytest.mark.parametrize("top", [65535, 255])
@pytest.mark.parametrize(
    ("suffix", "mode"), [(".png", "I;16"), (".tiff", "I;16"), (".tiff", "I;16B")]
)
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path, suffix, mode, top):
    ramp = np.linspace(0, top, 256).round().astype(">u2" if mode == "I;16B" else "<u2")
    Image.frombytes(mode, (16, 16), ramp.tobytes()).save(tmp_path / f"g{suffix}")
    grey = np.asarray(load(tmp_path / f"g{suffix}").pixels)[..., 0]
    assert np.array_equal(grey.ravel(), np.round(ramp / 257))


def test_lab(tmp_path):
    Image.new("LAB", (8, 8), (200, 128, 128)).save(tmp_path / "lab.tiff")
    r, g, b = load(tmp_path / "lab.tiff").pixels.getpixel((0, 0))
    assert r == g == b > 180


def test_sixteen_bit_colour(tmp_path):
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data)
        )  # fmt: skip

    row = b"\0" + struct.pack(">6H", 65535, 32768, 0, 257, 0, 65535)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
    (tmp_path / "d.png").write_bytes(png + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b""))
    pixels = load(tmp_path / "d.png").pixels
    assert [pixels.getpixel((x, 0)) for x in (0, 1)] == [(255, 128, 0), (1, 0, 255)]


def test_one_bit(tmp_path):
    halves(0, 1, "1").save(tmp_path / "b.png")
    pixels = load(tmp_path / "b.png").pixels
    assert (pixels.getpixel((0, 0)), pixels.getpixel((39, 0))) == ((0, 0, 0), (255, 255, 255))


def test_floating_point_grey_is_spread_over_its_extent_and_says_so(tmp_path):
    values = np.array([[-1.0, 0.0], [1.0, np.nan]], np.float32)
    Image.fromarray(values).save(tmp_path / "f.tiff")
    picture = load(tmp_path / "f.tiff")
    assert np.asarray(picture.pixels)[..., 0].tolist() == [[0, 128], [255, 128]]
    assert "-1 to 1" in picture.info.notes[0]


def test_real_photographs_decode(packaged):
    for path in sorted((packaged / "images").iterdir()):
        picture = load(path)
        assert picture.pixels.mode == "RGB"
        assert min(picture.pixels.size) > 0


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("name", ["cheetah.jpg", "avatar.png"])
def test_a_truncated_picture_is_refused_by_name(packaged, tmp_path, name, share):
    whole = (packaged / "images" / name).read_bytes()
    path = tmp_path / "secret-upload-name"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"'holiday.jpg'") as caught:
        load_image(path, "holiday.jpg", limits=LIMITS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n", bytes(500)])
def test_what_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match=r"'x.png'"):
        load(tmp_path / "x.png")


def test_other_kinds_are_named(packaged, tmp_path):
    (tmp_path / "x.png").write_bytes((packaged / "audio" / "cantina.wav").read_bytes())
    with pytest.raises(InputError, match=r"as a picture but holds WAV. Add it as a recording"):
        load(tmp_path / "x.png")
    (tmp_path / "y.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(InputError, match="holds HEIC"):
        load(tmp_path / "y.jpg")


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"'gone.png' is missing"):
        load(tmp_path / "gone.png")
    with pytest.raises(InputError, match="is not a file"):
        load_image(tmp_path, "folder.png", limits=LIMITS)


@pytest.mark.parametrize("side", [8_000, 16_000])
def test_size_is_refused_from_the_header_before_decoding(tmp_path, side):
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(LimitError, match=r"'bomb.png' .* the limit is 50,000,000 pixels"):
        load(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    ("size", "limits", "setting"),
    [
        ((101, 10), Limits(image_side=100), "image_side"),
        ((100, 11), Limits(image_pixels=1099), "image_pixels"),
        ((1, 201), Limits(), "image_aspect"),
    ],
)
def test_each_limit_names_value_limit_and_setting(tmp_path, size, limits, setting):
    Image.new("L", size).save(tmp_path / "p.png")
    with pytest.raises(LimitError, match=f"the limit is .* or raise the setting `{setting}`"):
        load(tmp_path / "p.png", limits)


def test_a_picture_at_the_limits_passes(tmp_path):
    Image.new("L", (100, 10)).save(tmp_path / "p.png")
    assert load(tmp_path / "p.png", Limits(image_side=100, image_pixels=1000, image_aspect=10))


def test_file_bytes(tmp_path):
    Image.new("L", (10, 10)).save(tmp_path / "p.png")
    with pytest.raises(LimitError, match="`file_bytes`"):
        load(tmp_path / "p.png", Limits(file_bytes=20))
