"""The manifest of an archive: a line `SHA-256  name` for each file, as sha256sum writes it."""

import re
from collections.abc import Mapping

from sparsedecay.errors import DamagedFile

LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def write(digests: Mapping[str, str]) -> bytes:
    """The manifest of files by name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def read(content: bytes, place: str) -> dict[str, str]:
    """SHA-256 by name.

    Raises:
        DamagedFile: it is not what `write` writes, to the byte.
    """
    try:
        lines = [LINE.fullmatch(line) for line in content.decode().split("\n")[:-1]]
    except UnicodeDecodeError:
        lines = [None]
    digests = {line[2]: line[1] for line in lines if line}
    if None in lines or write(digests) != content or not all(map(str.isprintable, digests)):
        raise DamagedFile(f"{place}: is no list of SHA-256 sums, or is damaged")
    return digests
