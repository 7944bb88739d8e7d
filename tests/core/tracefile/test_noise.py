"""Whatever is done to a file, opening it gives a trace or a clear error (hypothesis)."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import TraceFileError
from core.trace import Trace
from tests.core.tracefile.rewriting import entries, rewrite

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def opens_or_is_refused(path: Path, folder: Path) -> None:
    try:
        Trace.load(path, folder)
    except TraceFileError as error:
        assert str(folder) not in str(error)


@FUZZ
@given(data=st.data())
def test_flipped_bytes_never_raise_anything_else(saved: Path, tmp_path: Path, data):
    damaged = bytearray(saved.read_bytes())
    flips = st.tuples(st.integers(0, len(damaged) - 1), st.integers(1, 255))
    for at, mask in data.draw(st.lists(flips, min_size=1, max_size=4)):
        damaged[at] ^= mask
    (tmp_path / "f.omnitrace").write_bytes(damaged)
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")


@FUZZ
@given(data=st.data())
def test_truncation_and_noise_never_raise_anything_else(saved: Path, tmp_path: Path, data):
    whole = saved.read_bytes()
    end = data.draw(st.integers(0, len(whole)))
    tail = data.draw(st.binary(max_size=40))
    (tmp_path / "f.omnitrace").write_bytes(whole[:end] + tail)
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")


@FUZZ
@given(data=st.data())
def test_damage_inside_sound_zips_never_raises_anything_else(saved: Path, tmp_path: Path, data):
    """The checksums of the zip are right, so the damage reaches JSON and safetensors."""
    content = entries(saved)
    name = data.draw(st.sampled_from(["trace.json", "scores.safetensors"]))
    damaged = bytearray(content[name])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(damaged) - 1, 700)))
        damaged[at] = data.draw(st.integers(0, 255))
    rewrite(tmp_path / "f.omnitrace", {**content, name: bytes(damaged)})
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@FUZZ
@given(data=st.data(), value=JSON)
def test_any_json_anywhere_never_raises_anything_else(saved: Path, tmp_path: Path, data, value):
    content = entries(saved)
    document = json.loads(content["trace.json"])
    holder, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
        key = data.draw(st.sampled_from(keys))
    holder[key] = value
    plain = json.dumps(document).encode()
    rewrite(tmp_path / "f.omnitrace", {**content, "trace.json": plain})
    opens_or_is_refused(tmp_path / "f.omnitrace", tmp_path / "visitor")
