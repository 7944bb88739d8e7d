"""Files that nobody means well with: damaged, lying, swollen, disguised; each time the same."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEDIA = ROOT / "tests" / "data" / "media"
HELDOUT = ROOT / "assets" / "heldout" / "media"
TRACES = ROOT / "assets" / "traces"

SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>${window.hacked=3}'
NAMES = (
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/shadow",
    "a\x00b.png",
    "\u202egnp.exe",
    "con.png",
    "-rf .png",
    ".htaccess",
    "x" * 400 + ".png",
    SCRIPT,
    "{{constructor.constructor('alert(1)')()}}.png",
    "%2e%2e%2fsecret",
    "a.png/../../b",
    "\ud800.png".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
)
KINDS = ("image", "audio", "video")


def hostile_files(count: int, *, seed: int = 7) -> list[tuple[str, bytes]]:
    """``(name, content)`` of so many files: every special one, the rest damaged at random."""
    chance = random.Random(seed)
    special = list(_special())
    damaged = list(_damaged(chance, max(0, count - len(special))))
    if count < len(special):
        step = len(special) / count
        special = [special[int(i * step)] for i in range(count)]
    return [
        (NAMES[i % len(NAMES)] + ending if i % 5 == 0 else f"file{i}{ending}", content)
        for i, (ending, content) in enumerate([*special, *damaged])
    ]


def _damaged(chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Sound files cut short, with bytes changed, doubled, or under another ending."""
    sound = [
        path
        for folder in (MEDIA, HELDOUT, TRACES)
        for path in sorted(folder.iterdir())
        if path.suffix != ".sh" and path.stat().st_size < 300_000
    ]
    endings = sorted({path.suffix for path in sound})
    for _ in range(count):
        path = chance.choice(sound)
        content = bytearray(path.read_bytes())
        match chance.randrange(4):
            case 0:
                del content[chance.randrange(1, len(content)) :]
            case 1:
                for _ in range(chance.choice((1, 20, 400))):
                    content[chance.randrange(len(content))] = chance.randrange(256)
            case 2:
                at = chance.randrange(len(content))
                content[at:at] = content[: chance.randrange(1, 5000)]
            case 3:
                for at in range(4, min(len(content), 120)):
                    if chance.random() < 0.2:
                        content[at] = chance.choice((0, 0xFF, 0x7F, 0x80))
        ending = path.suffix if chance.random() < 0.8 else chance.choice(endings)
        yield ending, bytes(content)


def _special() -> Iterator[tuple[str, bytes]]:
    yield from ((ending, b"") for ending in (".png", ".wav", ".mp4", ".omnitrace", ""))
    yield from _pictures()
    yield from _sounds()
    yield from _films()
    yield from _pages()
    yield from _archives()
    yield from ((".omnitrace", content) for content in _traces())


def _pictures() -> Iterator[tuple[str, bytes]]:
    for width, height in ((100_000, 100_000), (2**31 - 1, 2**31 - 1), (0, 0), (1, 60_000)):
        yield ".png", _png(width, height, bytes(1000))
    yield ".png", _png(4_000, 4_000, bytes(100 * 2**20))  # 16 MP of nothing: packs 1 to 1000
    yield ".png", _png(8, 8, b"", extra=_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26))))
    yield ".gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\xf7\0\0" + bytes(900)
    yield ".bmp", b"BM" + struct.pack("<IHHIIiiHHI", 100, 0, 0, 54, 40, 60_000, -60_000, 1, 24, 0)
    yield ".tif", b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 65_535) + bytes(500)
    yield ".tif", b"II*\0" + struct.pack("<I", 8) + b"\x01\0" + bytes(12) + struct.pack("<I", 8)
    yield ".webp", b"RIFF" + struct.pack("<I", 2**31) + b"WEBPVP8X" + bytes(300)
    yield ".jpg", b"\xff\xd8\xff\xe0" + b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(200)


def _png(width: int, height: int, raw: bytes, extra: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + extra
        + _chunk(b"IDAT", zlib.compress(raw, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _sounds() -> Iterator[tuple[str, bytes]]:
    for rate, channels, width in ((0, 1, 16), (2**31, 1, 16), (16_000, 0, 16), (16_000, 65_535, 8)):
        yield ".wav", _wav(rate, channels, width, bytes(4096))
    yield ".wav", _wav(16_000, 1, 16, bytes(100), announced=0xFFFFFFFF)
    yield ".wav", _wav(16_000, 1, 32, struct.pack("<f", float("nan")) * 9000, form=3)
    yield ".wav", _wav(16_000, 1, 32, struct.pack("<f", 3e38) * 9000, form=3)
    yield ".mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(500)
    yield ".flac", b"fLaC\x80\0\0\x22" + b"\xff" * 34 + bytes(500)
    yield ".ogg", b"OggS" + b"\xff" * 400


def _wav(
    rate: int,
    channels: int,
    width: int,
    data: bytes,
    *,
    form: int = 1,
    announced: int | None = None,
) -> bytes:
    block = channels * width // 8 & 0xFFFF
    head = struct.pack("<HHIIHH", form, channels, rate, rate * block & 0xFFFFFFFF, block, width)
    size = len(data) if announced is None else announced
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", min(len(body), 0xFFFFFFFF)) + body


def _films() -> Iterator[tuple[str, bytes]]:
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    yield from ((ending, playlist) for ending in (".mp4", ".avi", ".m3u8"))
    yield ".mp4", b"ffconcat version 1.0\nfile /etc/passwd\nduration 1\n"
    yield ".mp4", struct.pack(">I", 24) + b"ftypmp42" + bytes(12) + b"\xff" * 600
    yield ".mp4", struct.pack(">I4sQ", 1, b"moov", 2**63) + bytes(600)
    yield ".mp4", b"\0\0\0\x08free" * 20_000
    yield ".mkv", b"\x1aE\xdf\xa3" + b"\xff" * 900
    yield ".avi", b"RIFF" + struct.pack("<I", 2**31) + b"AVI LIST" + b"\xff" * 900
    yield ".mp4", b"RIFF\0\0\0\0AVI " + b"concat:/etc/passwd|/etc/hosts" * 9


def _pages() -> Iterator[tuple[str, bytes]]:
    page = f"<html><body>{SCRIPT}</body></html>".encode()
    vector = f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}</svg>'.encode()
    yield from ((ending, page) for ending in (".html", ".png", ".omnitrace", ".mp4"))
    yield from ((ending, vector) for ending in (".svg", ".png"))
    yield ".png", b"\x89PNG\r\n\x1a\n" + page
    yield ".gif", b"GIF89a/*" + page + b"*/=1;"
    yield ".png", b"%!PS\n(/etc/passwd) (r) file\n"
    yield (
        ".json",
        json.dumps({"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}).encode(),
    )


TOUCHED = Path(tempfile.gettempdir(), "omnitrace-was-unpickled")


class _Touch:
    """Unpickling this would leave a file behind."""

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (str(TOUCHED), "w"))


def _archives() -> Iterator[tuple[str, bytes]]:
    touch = pickle.dumps(_Touch())
    yield from ((ending, touch) for ending in (".omnitrace", ".pt", ".pkl", ".npy"))
    yield ".omnitrace", _zip({"archive/data.pkl": touch})
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as target:
        target.add(__file__, arcname="../../escaped.py")
    yield ".omnitrace", tar.getvalue()
    yield ".omnitrace", _zip({"../../escaped": b"x", "/etc/escaped": b"x"})
    yield ".omnitrace", _zip({f"media/{n:04d}.png": b"" for n in range(3000)})
    yield ".omnitrace", _zip({"a": bytes(200 * 2**20)})
    yield ".zip", _zip({"b": b"x"})


def _zip(entries: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries.items():
            target.writestr(name, content)
    return packed.getvalue()


def _traces() -> Iterator[bytes]:
    """A sound trace file with one thing changed in its document, its entries or its scores."""
    with zipfile.ZipFile(sorted(TRACES.glob("*.omnitrace"))[0]) as source:
        sound = {name: source.read(name) for name in source.namelist()}
    document = json.loads(sound["trace.json"])
    for changed in _documents(document):
        yield _zip({**sound, "trace.json": json.dumps(changed).encode()})
    deep = b'{"format":"omnitrace","version":1,"parts":' + b"[" * 100_000
    for raw in (
        deep,
        b"null",
        b"[" + b"[]," * 5_000_000 + b"[]]",
        b"\xff\xfe{",
        b'{"a":' + b"9" * 10_000,
    ):
        yield _zip({**sound, "trace.json": raw})
    scores = sound["scores.safetensors"]
    for raw in (
        b"",
        struct.pack("<Q", 2**63) + scores[8:],
        b"\xff" * 200,
        scores[:-7],
        bytes(100 * 2**20),
    ):
        yield _zip({**sound, "scores.safetensors": raw})
    yield _zip({**sound, "media/0000.html": SCRIPT.encode()})
    yield _zip({**sound, "media/../../../escaped.png": b"x"})
    yield _zip({**sound, "media/0009.png": bytes(300 * 2**20)})


def _documents(document: dict) -> Iterator[dict]:
    for path in ("/etc/passwd", "../../../etc/passwd", "media/../../x", "media/9999.png"):
        parts = [{**p, "file": path} if "file" in p else p for p in document["parts"]]
        yield {**document, "parts": parts}
    named = [
        {**p, "name": SCRIPT} if "name" in p else {**p, "text": SCRIPT} for p in document["parts"]
    ]
    yield {**document, "parts": named, "instruction": SCRIPT}
    yield {**document, "answer": SCRIPT + document["answer"][len(SCRIPT) :]}
    for key, values in {
        "version": (-1, 10**30, "1", None),
        "answer": (None, "x" * 2_000_000, 7),
        "tokens": ([], [{"id": -1, "text": "", "start": 5, "end": 1}], {}),
        "signals": (["a"] * 200, [SCRIPT], None),
        "generation": ({"max_new_tokens": 10**40}, None),
        "timings": ({"__proto__": 1.0}, {"a": "b"}),
        "model": ({**document["model"], "name": SCRIPT}, {"name": "x"}),
        "media": ([], [{}] * 20_000),
    }.items():
        for value in values:
            yield {**document, key: value}


def abuses(found: Sequence[dict], *, session: str, each: int = 4) -> Iterator[dict]:
    """Requests that no page sends: every event with values of every wrong kind."""
    stolen = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    wrong = (None, -1, 10**30, "x", SCRIPT, [], [[]] * 300, {}, stolen, [stolen], {"value": stolen})
    for place, event in enumerate(found):
        for number in range(each):
            values = [
                wrong[(place + 3 * number + i) % len(wrong)] for i in range(len(event["inputs"]))
            ]
            yield {"data": values, "fn_index": event["id"], "session_hash": session}
    for index in (-1, 10**9, "x", None):
        yield {"data": [], "fn_index": index, "session_hash": session}
