"""The files of figures can be made again, and what they are made from must be whole and theirs."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import RootModel

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.figures import command, style
from sparsedecay.files import paths, provenance
from sparsedecay.files.tables import MATRICES
from tests.figures.made import FIGURES, put, rendered, study
from tests.small import written

SCRIPT = """
import sys
from sparsedecay.figures import command
requests, out, results = sys.argv[1:4]
for request in open(requests).read().splitlines():
    command.main(["--request", request, "--out", out, "--results", results])
assert not {"torch", "seaborn", "matplotlib.pyplot"} & set(sys.modules), "imports too much"
"""


def test_figures_are_the_same_bytes_everywhere(project):
    """Another process, folder, hash seed and matplotlib configuration change nothing."""
    requests = [written(project / f"asked/{n}.json", study().request(n)) for n in FIGURES]
    (project / "list").write_text("\n".join(requests), encoding="utf-8")
    (project / "mine").mkdir()  # matplotlib also looks for its settings in the current folder
    (project / "mine" / "matplotlibrc").write_text("font.size: 20\nfigure.facecolor: red\n")
    mine = {"MATPLOTLIBRC": str(project / "mine")}
    source = str(Path(style.__file__).parents[2])
    folders = []
    for seed, more, cwd in (("1", {}, project), ("2", mine, Path("/"))):
        folders.append(project / f"figures-{seed}")
        arguments = [project / "list", folders[-1], project / "results"]
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": seed, **more},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    files = [f"{name}.{ending}" for name in FIGURES for ending in ("json", "pdf", "png", "svg")]
    assert sorted(path.name for path in folders[0].iterdir()) == files
    for name in files:
        first, second = ((folder / name).read_bytes() for folder in folders)
        assert first == second, name
        assert str(project).encode() not in first, name
    for name in FIGURES:
        check_files(folders[0] / name)
        check_sidecar(folders[0] / name)


def check_files(stem: Path) -> None:
    """One page of the printed width, with text and no dates; the SVG tells its text in comments."""
    pdf = stem.with_suffix(".pdf").read_bytes()
    (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    width = float(box[0]) / 72
    assert width == pytest.approx(style.COLUMN) or 4 < width <= style.FULL + 1e-6
    assert re.findall(rb"/Count (\d+)", pdf) == [b"1"]
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf
    svg = stem.with_suffix(".svg").read_text(encoding="utf-8")
    assert "<dc:date>" not in svg
    words = {"fig1": "ReLU node", "fig2": "no regularizer", "fig3": "dense", "fig4": "index $i$"}
    assert words[stem.name] in svg
    pixels = int.from_bytes(stem.with_suffix(".png").read_bytes()[16:20], "big")
    assert pixels == pytest.approx(width * 300, abs=1)


def check_sidecar(stem: Path) -> None:
    """The sidecar names what was read, and hashes are those of the files."""
    name, request = stem.name, study().request(stem.name)
    told = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    inputs = told["inputs"]
    assert set(inputs) <= set(request.files)
    assert name == "fig4" or set(inputs) == set(request.files)
    for place, digest in inputs.items():
        assert hashlib.sha256(Path(place).read_bytes()).hexdigest() == digest
    assert told["runs"] == [{"run": s.run, "epoch": s.epochs[-1]} for s in request.shown]
    assert told["code"] == request.code
    assert told["environment"] == provenance.versions()
    assert told["config_hash"] == provenance.sha256(request.canonical())[:16]
    by_hand = f"sparsedecay figure --request {paths.request(f'figures/{name}')} --out figures"
    assert told["command"] == {"by_hand": by_hand, "workflow": f"snakemake figures/{name}.pdf"}


@pytest.mark.parametrize("size", [None, 0, 40], ids=["missing", "empty", "truncated"])
@pytest.mark.parametrize("name", ["fig2", "fig3", "fig4"])
def test_a_damaged_file_is_named(project, name, size):
    request = study().request(name)
    asked = written(Path("request.json"), request)
    for place in request.files[:1] + request.files[-4:-3]:
        whole = Path(place).read_bytes()
        Path(place).unlink() if size is None else Path(place).write_bytes(whole[:size])
        with pytest.raises(UserError, match=re.escape(place)):
            command.main(["--request", asked, "--out", "figures"])
        Path(place).write_bytes(whole)
    assert not Path("figures").exists()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "is no request: figure: Field required"),
        ({"figure": "style", "settings": {}}, "is no request: figure: .*no figure 'style'"),
    ],
)
def test_a_request_of_another_version_is_named_with_the_remedy(tmp_path, asked, told):
    file = written(tmp_path / "fig1.json", RootModel(asked))
    with pytest.raises(DamagedFile, match=rf"^{file}: {told}.*\nMake it again with: ") as caught:
        command.main(["--request", file, "--out", str(tmp_path / "figures")])
    assert not re.search("pydantic|Request|Traceback", str(caught.value))


@pytest.mark.parametrize("other", ["run", "epoch"])
@pytest.mark.parametrize("file", ["state", "summary", "matrices"])
def test_the_file_of_another_run_or_epoch_is_refused(project, file, other):
    request = study().request("fig3")
    one, two = (shown.run for shown in request.shown[:2])
    good, bad = (
        paths.state(*milestone) if file == "state" else paths.measured(*milestone, file)
        for milestone in ((one, 40), (two, 40) if other == "run" else (one, 80))
    )
    Path(good).write_bytes(Path(bad).read_bytes())
    with pytest.raises(UserError, match=re.escape(good)):
        rendered(request)


@pytest.mark.parametrize("name", ["fig3", "fig4"])
def test_a_table_without_the_matrix_is_named(project, name):
    request = study().request(name)
    run = request.shown[0].run
    place = paths.measured(run, 40, "matrices")
    put(place, [{"run": run, "epoch": 40, "matrix": "W1"}], MATRICES)
    with pytest.raises(UserError, match=re.escape(place)):
        rendered(request)
