"""The same pictures in other bytes, and tables that differ by rounding."""

import base64
import io
import math
import zlib

import numpy as np
import pyarrow as pa
import pytest
from matplotlib import rc_context, rcParams
from matplotlib.figure import Figure
from PIL import Image

from sparsedecay.extras.archive.content import farthest, same_picture


def drawn(kind, brightest=9.0, title="a title", level=6):
    """A figure with a picture and text, as bytes of a format; a PDF is compressed to a level."""
    figure, written = Figure(figsize=(2, 2)), io.BytesIO()
    axes = figure.subplots()
    axes.imshow(np.array([[0.0, 1.0], [2.0, brightest]]))
    axes.set_title(title)
    with rc_context({"pdf.compression": level}):
        figure.savefig(written, format=kind, metadata={"Date": None} if kind == "svg" else {})
    return written.getvalue()


def packed(content):
    """A PNG in which nothing but the compression of its pixels is another."""
    head, rest, found = content[:8], content[8:], []
    while rest:
        size = int.from_bytes(rest[:4], "big")
        found.append((rest[4:8], rest[8 : 8 + size]))
        rest = rest[12 + size :]
    pixels = zlib.decompress(b"".join(data for name, data in found if name == b"IDAT"))
    others = [(name, data) for name, data in found if name not in (b"IDAT", b"IEND")]
    for name, data in [*others, (b"IDAT", zlib.compress(pixels, 1)), (b"IEND", b"")]:
        sum_ = zlib.crc32(name + data).to_bytes(4, "big")
        head += len(data).to_bytes(4, "big") + name + data + sum_
    return head


def otherwise(kind, **changes):
    """The same picture in other bytes, as another zlib packs it."""
    content = drawn(kind, level=1, **changes)
    if kind == "pdf":
        return content
    if kind == "png":
        return packed(content)
    head, tail = content.split(b"base64,", 1)
    picture, tail = tail.split(b'"', 1)
    return b"".join(
        [head, b"base64,", base64.b64encode(packed(base64.b64decode(picture))), b'"', tail]
    )


@pytest.fixture(autouse=True)
def _fixed(monkeypatch):
    """Figures drawn twice are the same bytes."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    monkeypatch.setitem(rcParams, "svg.hashsalt", "x")


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_packed_otherwise(kind):
    one = drawn(kind)
    assert drawn(kind) == one
    other = otherwise(kind)
    assert other != one
    assert same_picture(f"figures/fig.{kind}", one, other)


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
@pytest.mark.parametrize("change", [{"brightest": 8.0}, {"title": "another title"}])
def test_another_picture(kind, change):
    one = drawn(kind)
    assert not same_picture(f"figures/fig.{kind}", one, drawn(kind, **change))
    assert not same_picture(f"figures/fig.{kind}", one, otherwise(kind, **change))
    assert not same_picture(f"figures/fig.{kind}", one, one[: len(one) // 2])
    assert not same_picture(f"figures/fig.{kind}", one, b"")


def test_animations_frame_by_frame():
    def gif(*shades):
        written = io.BytesIO()
        first, *more = (Image.new("L", (4, 4), shade) for shade in shades)
        first.save(written, "GIF", save_all=True, append_images=more, duration=40)
        return written.getvalue()

    assert same_picture("figures/radon.gif", gif(1, 99), gif(1, 99))
    assert not same_picture("figures/radon.gif", gif(1, 99), gif(1, 98))


def test_what_is_no_picture_must_be_the_same_bytes():
    assert same_picture("figures/fig1.json", b"{}", b"{}")
    assert not same_picture("figures/fig1.json", b"{}", b"{ }")


TABLE = pa.table(
    {
        "run": ["a", "b"],
        "rank": [3, None],
        "mse": [0.5, 100.0],
        "sigma": pa.array([[4.0, 2.0], None], pa.list_(pa.float64())),
    }
)


def changed(name, values):
    """The table with another column."""
    index = TABLE.schema.names.index(name)
    return TABLE.set_column(index, name, pa.array(values, TABLE.schema.field(name).type))


@pytest.mark.parametrize(
    ("other", "apart"),
    [
        (TABLE, 0.0),
        (changed("mse", [0.5 + 1e-7, 100.0]), 1e-9),
        (changed("mse", [0.5, 90.0]), 0.1),
        (changed("mse", [None, 100.0]), math.inf),
        (changed("sigma", [[4.0, 2.4], None]), 0.1),
        (changed("sigma", [[4.0], [2.0]]), math.inf),
        (changed("rank", [4, None]), math.inf),
        (changed("rank", [3, 0]), math.inf),
        (changed("run", ["a", "c"]), math.inf),
        (TABLE.slice(1), math.inf),
        (TABLE.drop_columns("mse"), math.inf),
    ],
)
def test_how_far_apart_two_tables_are(other, apart):
    found = farthest(TABLE, other)
    assert found == apart if math.isinf(apart) else found == pytest.approx(apart, abs=1e-15)
