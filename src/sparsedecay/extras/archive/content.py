"""Whether two files show or hold the same, though their bytes differ.

    same_picture("figures/fig4.pdf", one, other)      compressed by another zlib
    farthest(one, other)                              numbers rounded otherwise

Another zlib (zlib-ng in its place, say) packs the same streams into other bytes, and another kernel
of the linear algebra adds in another order.
"""

import base64
import io
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageSequence
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import IndirectObject, StreamObject

PACKED = {"/Length", "/Filter", "/DecodeParms"}
"""What a PDF says of how a stream is packed."""
EMBEDDED = re.compile(rb"data:image/png;base64,([A-Za-z0-9+/=\s]+)")


def same_picture(name: str, one: bytes, other: bytes) -> bool:
    """Whether two files of a name are the same picture: object by object, pixel by pixel."""
    if one == other:
        return True
    unpacked = UNPACKED.get(PurePath(name).suffix)
    if unpacked is None:
        return False
    try:
        return bool(unpacked(one) == unpacked(other))
    except (OSError, ValueError, PyPdfError, SyntaxError):
        return False


def pdf(content: bytes) -> Any:
    """What a PDF begins with, and all objects that it leads to, with their streams decoded; lengths
    of streams are none of them."""
    reader, found = PdfReader(io.BytesIO(content)), {}
    waiting: list[int] = []
    head = plain(dict(reader.trailer), waiting)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found[number] = plain(reader.get_object(number), waiting)
    return head, found


def plain(value: Any, leads_to: list[int]) -> Any:
    """An object of a PDF as lists and dictionaries, in which references are numbers; these are also
    added to `leads_to`."""
    match value:
        case IndirectObject():
            leads_to.append(value.idnum)
            return ("reference", value.idnum)
        case dict():
            items = dict.items(value)  # references as they are, not what they refer to
            kept = {key: plain(part, leads_to) for key, part in items if key not in PACKED}
            return (kept, value.get_data()) if isinstance(value, StreamObject) else kept
        case list():
            return [plain(part, leads_to) for part in list.__iter__(value)]
    return str(value)


def pixels(content: bytes) -> Any:
    """The frames of a picture, and what it says of itself."""
    with Image.open(io.BytesIO(content)) as picture:
        frames = [
            (frame.mode, frame.size, frame.tobytes()) for frame in ImageSequence.Iterator(picture)
        ]
        return frames, picture.info


def svg(content: bytes) -> Any:
    """The text of an SVG, and the pictures in it."""
    return EMBEDDED.sub(b"", content), [
        pixels(base64.b64decode(found)) for found in EMBEDDED.findall(content)
    ]


UNPACKED: dict[str, Callable[[bytes], Any]] = {
    ".pdf": pdf,
    ".png": pixels,
    ".gif": pixels,
    ".svg": svg,
}


def farthest(one: pa.Table, other: pa.Table) -> float:
    """The largest difference of a number of two tables, as a fraction of the largest magnitude in
    its column; infinite if more than numbers differ."""
    if one.schema.names != other.schema.names or one.num_rows != other.num_rows:
        return np.inf
    worst = 0.0
    for name in one.schema.names:
        (exact, numbers), (same, others) = (parts(table[name]) for table in (one, other))
        if exact != same or not np.array_equal(np.isfinite(numbers), np.isfinite(others)):
            return np.inf
        finite = np.isfinite(numbers)
        if finite.any():
            scale = np.abs(numbers[finite]).max() or 1.0
            worst = max(worst, float(np.abs(numbers[finite] - others[finite]).max() / scale))
    return worst


def parts(column: pa.ChunkedArray) -> tuple[list[Any], np.ndarray]:
    """What of a column must be the same, and its real numbers, which may differ; those of lists
    one after the other, with the lengths of the lists as what must be the same."""
    values = column.combine_chunks()
    exact: list[Any] = []
    if pa.types.is_list(values.type):
        exact, values = values.value_lengths().to_pylist(), values.flatten()
    if pa.types.is_floating(values.type):
        return exact, np.asarray(values.to_numpy(zero_copy_only=False), dtype=float)
    return [*exact, *values.to_pylist()], np.empty(0)
