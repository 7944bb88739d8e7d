from pathlib import Path

import pytest

from core.errors import InputError
from core.prompt import AudioPart, ImagePart, Prompt, TextPart, VideoPart, media_part


def test_strings_are_text_and_paths_are_files_of_their_suffix():
    prompt = Prompt.of("Look.", ["hello.png", Path("a.PNG"), Path("b.m4a"), Path("d/c.webm")])
    assert prompt.instruction == "Look."
    assert prompt.parts == (
        TextPart("hello.png"),
        ImagePart(Path("a.PNG"), "a.PNG"),
        AudioPart(Path("b.m4a"), "b.m4a"),
        VideoPart(Path("d/c.webm"), "c.webm"),
    )
    assert [part.kind for part in prompt.parts] == ["text", "image", "audio", "video"]


def test_parts_keep_their_order_and_media_their_index():
    part = AudioPart(Path("x"), "speech")
    prompt = Prompt.of("", ["one", part, "two", Path("p.jpg")])
    assert prompt.media == ((1, part), (3, ImagePart(Path("p.jpg"), "p.jpg")))


def test_text_is_kept_exactly():
    text = " \n<|IMAGE|> ünï\u202ecode\t"
    assert Prompt.of(text, [text]).parts[0].text == Prompt.of(text).instruction == text


def test_the_shown_name_tells_the_kind_of_an_upload():
    assert media_part(Path("upload-17"), "holiday.MP4") == VideoPart(
        Path("upload-17"), "holiday.MP4"
    )


@pytest.mark.parametrize("name", ["notes.txt", "noending", "archive.tar.gz", ".png", "x.exe"])
def test_other_files_are_refused_with_the_known_endings(name):
    with pytest.raises(InputError, match=r"Known endings: \.aac .*\.weba") as caught:
        Prompt.of("", [Path("/somewhere/private") / name])
    assert "private" not in str(caught.value)
