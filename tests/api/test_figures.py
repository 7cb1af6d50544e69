"""Figures from Python are those of the pipeline, byte for byte."""

from types import SimpleNamespace

import pytest

import sparsedecay as sd
from sparsedecay.figures import find, style
from sparsedecay.figures.command import main
from sparsedecay.figures.declaration import Request
from sparsedecay.science.measures import Measures
from sparsedecay.study.study import shown
from tests.api.conftest import SMALL
from tests.api.test_results import measured  # noqa: F401
from tests.small import written


def pictured(figure, stem, title):
    with style.printed():
        style.save(figure, stem, title)
    return stem.with_suffix(".png").read_bytes(), stem.with_suffix(".svg").read_bytes()


SECTIONS = {
    "fig1": {"L": 2},
    "fig2": {"network": "representer", "lam": [1e-3], "regularizers": ["eq2"]},
    "fig3": {"lam": 1e-3, "epoch": 200, "layer": 2},
    "fig4": {"lam": 1e-3, "epoch": 200, "layer": 2},
    "radon": {"lam": 1e-3, "epochs": [0, 200]},
}


@pytest.mark.parametrize("name", SECTIONS)
def test_the_same_bytes_as_the_pipeline(name, measured, tmp_path, states):  # noqa: F811
    from sparsedecay.api.state import MEASURES

    run, section = sd.Run(**SMALL), dict(SECTIONS[name])
    if name in ("fig3", "fig4", "radon"):
        section["panels"] = [{"network": "representer", "regularizer": "eq2"}]
    request = Request(
        figure=name,
        settings=find(name).section.model_validate(section),
        measures=Measures(**MEASURES) if name != "fig1" else None,
        shown=(shown(run, 200),) if name != "fig1" else (),
    )
    place = measured / "requests" / "figures" / f"{name}.json"
    asked = written(place, request)
    main(["--request", asked, "--out", str(tmp_path), "--results", str(measured)])
    theirs = tuple((tmp_path / f"{name}.{e}").read_bytes() for e in ("png", "svg"))
    title = f"sparsedecay, figure {name.removeprefix('fig')}"
    ours = sd.fig1(L=2) if name == "fig1" else getattr(sd, name)(states[0])
    assert pictured(ours, tmp_path / "ours", title) == theirs
    again = sd.open(measured).figure(name)
    assert pictured(again, tmp_path / "again", title) == theirs


def test_panels_for_each_lam_and_regularizer(states):
    run = states[0].run.replace(lam=1e-2)
    more = [
        sd.train(one, 200, progress=False) for one in (run, run.replace(regularizer="weight_decay"))
    ]
    figure = sd.fig2([*states, *more])
    assert len(figure.axes) == 2
    with pytest.raises(ValueError, match=r"states: there is none of representer with weight_decay"):
        sd.fig2([*states, more[0]])


def test_three_epochs_of_two_networks_in_the_radon_domain(states):
    later = [sd.train(one, 250, progress=False) for one in states[:2]]
    figure = sd.radon([*states[:2], *later])
    assert len(figure.axes) == 2 * 3
    with pytest.raises(ValueError, match=r"at epoch 250 is needed"):
        sd.radon([*states[:2], later[0]])


def test_collapse_of_two(states):
    assert len(sd.collapse(states[:2]).axes) == 6
    scaled = states[0].run.replace(initialization={"scale": "fan_in"})
    with pytest.raises(ValueError, match=r"unscaled"):
        sd.collapse(sd.train(scaled, 50, progress=False))


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda s: sd.fig1(L=0), ValueError, "L: "),
        (lambda s: sd.fig2([]), TypeError, "states: give a State or a list"),
        (lambda s: sd.fig3([s[0].run]), TypeError, "states: give a State or a list"),
        (lambda s: sd.fig3(s[0], layer=3), ValueError, "layer: "),
        (
            lambda s: sd.fig4([s[0], SimpleNamespace()]),
            TypeError,
            "states: give a State or a list",
        ),
        (
            lambda s: sd.fig3([s[0], sd.train(s[1], 210, progress=False)]),
            ValueError,
            "states: they are at different epochs",
        ),
        (
            lambda s: sd.fig3([s[0], sd.train(s[1].run.replace(lam=1.0), 200, progress=False)]),
            ValueError,
            "states: this figure shows one lam",
        ),
    ],
)
def test_mistakes(states, make, error, said):
    with pytest.raises(error, match=said) as found:
        make(states)
    assert "\n" not in str(found.value)
