"""What all figures share: sizes in print, type, colours, number formats, saving.

Sizes are those of the paper's two columns (ICML), so that a figure is printed as it is drawn:
lengths in inches, type and lines in points.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from sparsedecay.storage import atomic

COLUMN, FULL = 3.25, 6.75
"""Width of one column and of the page, inches."""
TEXT, SMALL = 8, 7
"""Sizes of type, points."""
PNG_DPI = 300

RC = {
    "font.family": "STIXGeneral",  # comes with matplotlib; a Times, as the paper's text
    "mathtext.fontset": "stix",
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "axes.labelpad": 2,
    "pdf.fonttype": 42,  # text stays text: searchable, and accepted by publishers
    "svg.fonttype": "path",  # a browser need not have the fonts
    "svg.hashsalt": "sparsedecay",  # otherwise ids in the SVG are random
}

REGULARIZERS = {"eq2": "eq. (2)", "weight_decay": "weight decay", "none": "no regularizer"}
"""Name of each regularizer in print."""

# Okabe and Ito's colours, which the colour-blind can tell apart; they differ in lightness too, and
# each has its line style and marker, so that they survive a grey printer.
COLOURS = {"eq2": "#0072B2", "weight_decay": "#D55E00", "none": "#000000"}
LINES = {"eq2": "-", "weight_decay": (0, (4, 1.2)), "none": (0, (1, 1.2))}
MARKERS = {"eq2": "o", "weight_decay": "s", "none": "^"}


def line(regularizer: str) -> dict:
    """How a curve of a regularizer looks."""
    return {"color": COLOURS[regularizer], "linestyle": LINES[regularizer]}


def network(kind: str, regularizer: str) -> str:
    """A trained network in print."""
    return f"{kind}, {REGULARIZERS[regularizer]}"


@contextmanager
def printed() -> Iterator[None]:
    """Draw and save inside this: matplotlib's defaults and `RC`, whatever the user's settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place on the figure, in inches from its lower left corner."""
    w, h = figure.get_size_inches()
    return figure.add_axes((left / w, bottom / h, width / w, height / h))


def scientific(value: float, digits: int = 2) -> str:
    """A number in print: 0.31, $2.4\\times10^{-5}$, 0; a dash for NaN."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "$\\infty$" if value > 0 else "$-\\infty$"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if value == 0 or -3 < int(exponent) < 3:
        return f"{float(f'{value:.{digits}g}'):g}"
    return f"${mantissa}\\times10^{{{int(exponent)}}}$"


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
    kinds = {
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
        with atomic(stem.with_name(f"{stem.name}.{ending}")) as temporary:
            figure.savefig(temporary, format=ending, **options)
