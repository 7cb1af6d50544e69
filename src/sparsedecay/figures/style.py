"""What all figures share: sizes in print, type, colours, number formats, saving.

Sizes are those of the paper's two columns (ICML), so that a figure is printed as it is:
lengths in inches, type and lines in points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sparsedecay.files.storage import write_file
from sparsedecay.science import networks, regularizers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

COLUMN, FULL = 3.25, 6.75
"""Width of one column and of the page, inches."""
TEXT, SMALL = 8, 7
"""Sizes of type, points."""
PNG_DPI = 300

SPIKE = 3
"""Ratio of the last MSE to the median of the last records, either way, from which on both are
shown."""

TICKS = {
    "labelsize": SMALL,
    "major.width": 0.6,
    "minor.width": 0.4,
    "major.size": 2.5,
    "minor.size": 1.5,
    "major.pad": 2,
}
RC: dict[Any, Any] = {
    "font.family": "STIXGeneral",  # comes with matplotlib; a Times, as the paper's text
    "mathtext.fontset": "stix",
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    **{f"{axis}tick.{key}": value for axis in "xy" for key, value in TICKS.items()},
    "axes.labelpad": 2,
    "pdf.fonttype": 42,  # text stays text: searchable, and accepted by publishers
    "svg.fonttype": "path",  # a browser need not have the fonts
    "svg.hashsalt": "sparsedecay",  # otherwise ids in the SVG are random
}


class Look(NamedTuple):
    """What tells a regularizer: two shades of a colour, its line and marker."""

    dark: str
    light: str
    line: str | tuple[float, tuple[float, ...]]
    marker: str


class Shade(NamedTuple):
    """What tells a network, also in grey: its shade of the regularizer's colour, its markers."""

    shade: Literal["dark", "light"]
    filling: dict[str, str]


# Okabe and Ito's colours, which the colour-blind can tell apart.
REGULARIZERS = {
    "eq2": Look("#0072B2", "#56B4E9", "-", "o"),
    "weight_decay": Look("#D55E00", "#E69F00", (0, (4, 1.2)), "s"),
    "none": Look("#000000", "#7F7F7F", (0, (1, 1)), "^"),
    "eq2_exchanged": Look("#009E73", "#7FCEB9", (0, (6, 1, 1, 1)), "D"),
    "l1": Look("#CC79A7", "#E5BCD3", (0, (2, 1)), "v"),
    "eq2_skips_squared": Look("#56B4E9", "#A9D9F4", (0, (5, 2)), "<"),
    "eq2_unsquared": Look("#882255", "#C48DAA", (0, (3, 1)), ">"),
    "path": Look("#8A5A00", "#C9A96A", (0, (3, 1, 1, 1, 1, 1)), "P"),
}
NETWORKS = {
    "representer": Shade("dark", filling={}),
    "dense": Shade("light", filling={"markerfacecolor": "white"}),
}


def line(network: str, regularizer: str) -> dict[str, Any]:
    """How a curve of a trained network looks."""
    look = REGULARIZERS[regularizer]
    return {"color": getattr(look, NETWORKS[network].shade), "linestyle": look.line}


def marked(network: str, regularizer: str) -> dict[str, Any]:
    """How a curve with marks looks."""
    mark = {"marker": REGULARIZERS[regularizer].marker, "markersize": 4, "markeredgewidth": 1}
    return line(network, regularizer) | mark | NETWORKS[network].filling


def network(kind: str, regularizer: str) -> str:
    """A trained network in print."""
    return f"{networks.KINDS[kind].title}, {title(regularizer)}"


def title(regularizer: str) -> str:
    """A regularizer in print."""
    return regularizers.KINDS[regularizer].title


@contextmanager
def printed() -> Iterator[None]:
    """Render and save inside this: matplotlib's defaults and `RC`, whatever the user's settings."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A picture, and axes without lines all over it, in inches from the upper left corner."""
    figure = page(width, height)
    ax = place(figure, 0, 0, width, height)
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    return figure, ax


def write(ax: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Small type, whose middle is at y."""
    small: dict[str, Any] = {"va": "center", "fontsize": SMALL}
    ax.text(x, y, text, **small | look)


def heading(figure: Figure, x: float, y: float, text: str) -> None:
    """Type on a figure, whose middle is at y, in inches from the lower left corner."""
    width, height = figure.get_size_inches()
    figure.text(x / width, y / height, text, va="center")


def note(figure: Figure, y: float, text: str) -> None:
    """Small type across the middle of a figure, whose middle is at y, in inches from below."""
    figure.text(0.5, y / figure.get_size_inches()[1], text, ha="center", va="center", fontsize=6.5)


def grid(count: int, most: int) -> tuple[int, int]:
    """Rows and columns of so many panels, at most so many in a row."""
    rows = math.ceil(count / most)
    return rows, math.ceil(count / max(rows, 1))


def page(width: float, height: float) -> Figure:
    """An empty picture, inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place on the figure, in inches from its lower left corner."""
    w, h = figure.get_size_inches()
    return figure.add_axes((left / w, bottom / h, width / w, height / h))


def from_corner(ax: Axes) -> Transform:
    """Coordinates in inches, to the right of and above the upper left corner of axes."""
    from matplotlib.transforms import ScaledTranslation

    # ax.transAxes is affine, which its type does not say
    corner = ScaledTranslation(0, 1, ax.transAxes)  # type: ignore[arg-type]
    return ax.figure.dpi_scale_trans + corner


def epochs(ax: Axes, last: int) -> None:
    """The axis of epochs 0 … last, in thousands where there are many."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    thousands = last >= 10_000
    ax.set_xlim(0, last)
    ax.set_xlabel("epoch (thousands)" if thousands else "epoch")
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / (1000 if thousands else 1):g}"))


def scientific(value: float, digits: int = 2) -> str:
    """A number in print, of so many digits: 0.31, $2.4\\times10^{-5}$, 0; a dash for NaN."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "$\\infty$" if value > 0 else "$-\\infty$"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if value == 0:
        return "0"
    if -3 < int(exponent) < digits:
        return f"{value:.{digits - 1 - int(exponent)}f}"
    return f"${mantissa}\\times10^{{{int(exponent)}}}$"


def final_mse(summary: Mapping[str, float]) -> tuple[str, str]:
    """The MSE at the last epoch in print, and the median of the last records if that epoch does not
    stand for them: Adam's loss has spikes."""
    mse, median = summary["mse"], summary["mse_tail_median"]
    spike = mse > SPIKE * median or mse < median / SPIKE
    return scientific(mse), scientific(median) if spike else ""


def parameter(value: float) -> str:
    """A parameter in print, inside a formula: 10^{-3}, 2\\times10^{-5}, 0.25."""
    mantissa, exponent = f"{value:.12e}".split("e")
    factor = f"{float(mantissa):g}"
    if factor == "1" and int(exponent) not in (0, 1):
        return f"10^{{{int(exponent)}}}"
    if -3 < int(exponent) < 4:
        return f"{value:g}"
    return f"{factor}\\times10^{{{int(exponent)}}}"


def save(figure: Figure, stem: Path, title: str) -> None:
    """Write `stem`.pdf, .svg and .png; the same figure gives the same bytes."""
    from matplotlib.image import AxesImage

    kinds: dict[str, dict[str, Any]] = {
        # An image goes into PDF and SVG entry by entry; for the PNG, which has fewer pixels than
        # a matrix has entries, colours are averaged, so that no row depends on where a pixel falls.
        "pdf": {"images": "none", "metadata": {"Title": title, "CreationDate": None}},
        "svg": {"images": "none", "metadata": {"Title": title, "Date": None}},
        "png": {"images": "auto", "metadata": {"Title": title}, "dpi": PNG_DPI},
    }
    for ending, options in kinds.items():
        images = options.pop("images")
        for image in figure.findobj(AxesImage):
            image.set_interpolation(images)
        # first in memory: where there is no room, the PDF's writer fails with an error of its own
        rendered = BytesIO()
        figure.savefig(rendered, format=ending, **options)
        write_file(stem.with_name(f"{stem.name}.{ending}"), rendered.getvalue())
