"""Every way in which an archive can differ from what was packed is found and named."""

import json
import os
import shutil
import subprocess
import time
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.manifest import KINDS, LABEL, SUMS, differences, kind
from sparsedecay.extras.archive.opening import opened
from sparsedecay.extras.archive.pack import pack
from sparsedecay.extras.archive.verify import main
from tests.extras.archive import made
from tests.extras.archive.made import SAID, TEXTS, contents, listed, remade, small, zipped

TEXT_OF_LABEL = SAID.model_dump_json().encode()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole archive, and beside it its SHA-256 as sha256sum writes it."""
    path = small(tmp_path_factory.mktemp("whole") / "a.zip")
    sums = subprocess.check_output(["sha256sum", path])
    path.with_name("a.zip.sha256").write_bytes(sums)
    return path


def verify(path, *arguments, capsys):
    """Exit status and what was printed."""
    try:
        main([str(path), *arguments])
    except SystemExit as end:
        return end.code, capsys.readouterr().out
    return 0, capsys.readouterr().out


def found(path):
    """What is told of an archive that is not as it was packed."""
    try:
        with opened(path) as archive:
            return differences(archive)
    except UserError as error:
        return [str(error)]


def test_there_is_a_file_of_every_kind():
    assert {kind(name) for name in (*TEXTS, SUMS)} == KINDS.keys()


def test_a_whole_archive(whole, capsys):
    code, said = verify(whole, capsys=capsys)
    assert code == 0
    assert f"{len(TEXTS) + 2} files" in said
    assert "all as they were packed" in said
    assert "sparsedecay 0.1.0, commit aaaa" in said


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_one_flipped_bit_in_any_file_is_found(whole, tmp_path_factory, data):
    """The checksums of the .zip are right, so that only the manifest can tell."""
    files = contents(whole)
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    changes = {name: made.flipped(files[name], at, data.draw(st.integers(0, 7)))}
    path = remade(tmp_path_factory.mktemp("flipped") / "a.zip", whole, changes, dict)
    told = found(path)
    assert told if name == SUMS else told == [f"altered: {name}"]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_one_flipped_bit_in_the_zip_itself_is_found(whole, tmp_path_factory, data):
    """Wherever it lies, if the SHA-256 of the archive lies beside it."""
    content = whole.read_bytes()
    at, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("flipped") / "a.zip"
    path.write_bytes(made.flipped(content, at, bit))
    shutil.copy(whole.with_name("a.zip.sha256"), path.parent)
    assert found(path)


@pytest.fixture
def other(whole, tmp_path):
    """Makes the archive with other files."""
    return partial(remade, tmp_path / "a.zip", whole)


def test_what_is_missing_added_or_altered_is_named(other, tmp_path, capsys):
    log = TEXTS["results/logs/data/grid.log"] + b"more"
    changes = {"figures/fig1.pdf": None, "figures/fig9.pdf": b"", "results/logs/data/grid.log": log}
    code, said = verify(other(changes, dict), capsys=capsys)
    assert code == 1
    assert said.splitlines() == [
        "missing: figures/fig1.pdf",
        "added: figures/fig9.pdf",
        "altered: results/logs/data/grid.log",
        f"{tmp_path / 'a.zip'}: is not as it was packed; get it again",
    ]


def test_many_differences_are_counted(other, capsys):
    code, said = verify(other({f"docs/{i}.md": b"" for i in range(30)}, dict), capsys=capsys)
    assert (code, "… and 10 more" in said) == (1, True)


UNSAFE = (
    *("results/train/run/10/state.pt", "figures/fig1.pkl", "results/x"),
    *(".snakemake/iocache/latest.pkl", ".snakemake/locks/0.output.lock"),
    *(".snakemake/incomplete/ZmlndXJlcy9maWcxLnBkZg==", ".snakemake/metadata/evil"),
    ".snakemake/metadata/ZmlndXJlcy8uLi8uLi92aWN0aW0=",  # figures/../../victim
    ".snakemake/metadata/L2V0Yy9wYXNzd2Q=",  # /etc/passwd
)


@pytest.mark.parametrize("name", UNSAFE)
def test_results_in_a_format_that_may_run_code(other, name):
    path = other({name: b"\x80\x04."})
    with pytest.raises(UserError, match="is in a format that no archive of sparsedecay holds"):
        main([str(path)])


@pytest.mark.parametrize("name", [SUMS, LABEL])
def test_some_other_zip(other, name):
    path = other({name: None}, dict if name == SUMS else listed)
    with pytest.raises(UserError, match=f"holds no {name}, so it is no archive"):
        main([str(path)])


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", "\x1b[31mother", "name: "),
        ("version", "0.1\nfake.zip: all as they were packed", "version: "),
        ("commit", "HEAD", "commit: "),
        ("config", "../../etc/passwd", "its config is not in the archive"),
        ("config", "a\x1b]0;title\x07", "config: "),
        ("changed", ["\u202e"], "changed.0: "),
        ("versions", {"\x07": "1"}, r".*versions\..*: "),
        ("weights", None, "weights: .*made by another version"),
        ("format", 2, "is of format 2, .* reads format 1; sparsedecay 0.1.0, .* can read it"),
        ("format", "\x07", "format: "),
    ],
)
def test_a_label_that_would_do_harm_or_is_of_another_version(other, capsys, key, value, words):
    values = {**json.loads(TEXT_OF_LABEL), key: value}
    said = json.dumps({k: v for k, v in values.items() if v is not None}).encode()
    with pytest.raises(UserError, match=rf"archive\.json: {words}") as caught:
        main([str(other({LABEL: said}))])
    assert str(caught.value).isprintable()
    assert capsys.readouterr().out == ""


def test_a_label_from_before_there_were_formats(other, capsys):
    assert b'"format":1,' in TEXT_OF_LABEL
    path = other({LABEL: TEXT_OF_LABEL.replace(b'"format":1,', b"")})
    assert verify(path, capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    "name", ["snakemake.py", "yaml.so", "matplotlibrc", "src/x.py", "Makefile"]
)
def test_more_code_is_other_code_and_not_run_unasked(tmp_path, name):
    ours = {"Snakefile": (made.ROOT / "Snakefile").read_bytes(), "config/config.yaml": b""}
    path = zipped(tmp_path / "a.zip", listed({**ours, LABEL: TEXT_OF_LABEL, name: b"x = 1"}))
    for flags in (["--rerender"], ["--retrain", "run"]):
        words = f"its code is not that of this copy of .*{name}.*add --trust"
        with pytest.raises(UserError, match=words):
            main([str(path), *flags, "--folder", str(tmp_path / "new")])
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_empty(whole, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"is not empty; name a new one"):
        main([str(whole), "--rerender", "--trust", "--folder", str(tmp_path)])


@given(st.dictionaries(st.from_regex(r"[a-z./ ]{0,9}[a-z]", fullmatch=True), st.binary(max_size=4)))
def test_the_manifest_is_read_as_it_was_written(files):
    sums = {name: made.sha256(content) for name, content in files.items()}
    assert manifest.read_sums(manifest.write_sums(sums), "here") == sums


def test_the_manifest_is_one_for_sha256sum(whole, tmp_path):
    with opened(whole) as archive:
        archive.unpack(tmp_path)
    command = ["env", "LC_ALL=C", "sha256sum", "--check", "--strict", "--quiet", SUMS]
    assert subprocess.run(command, cwd=tmp_path).returncode == 0
    (tmp_path / "Snakefile").write_text("other")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "Snakefile: FAILED\n")


A, B = b"0" * 64 + b"  a\n", b"a" * 64 + b"  b\n"
WRONG = (
    *(A.replace(b"  ", b" ") + B, A + B.upper(), A + B + b"x\n", A.replace(b"\n", b"\r\n") + B),
    *((A + B)[:-1], B + A, A + B + A, b"\xff" + A + B),
)


@pytest.mark.parametrize("text", WRONG)
def test_a_manifest_that_is_written_otherwise(text):
    assert manifest.read_sums(A + B, "here") == {"a": "0" * 64, "b": "a" * 64}
    with pytest.raises(DamagedFile, match="here: is no list of SHA-256"):
        manifest.read_sums(text, "here")


def test_the_same_files_give_the_same_bytes(tmp_path, monkeypatch):
    """Whenever and wherever they were written."""
    file = tmp_path / "notes"
    file.write_text("text")
    first = small(tmp_path / "a.zip", notes=file).read_bytes()
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    os.utime(file, (1e9, 1e9))
    file.chmod(0o600)
    try:
        assert small(tmp_path / "b.zip", notes=file).read_bytes() == first
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_file_that_changes_meanwhile(tmp_path, monkeypatch):
    file = tmp_path / "log"
    file.write_text("one")

    def write(digests):
        file.write_text("two")
        return before(digests)

    before = manifest.write_sums
    monkeypatch.setattr(manifest, "write_sums", write)
    with pytest.raises(UserError, match="altered: log; wait until nothing else runs here"):
        pack(tmp_path / "a.zip", {"log": file})
    assert not list(tmp_path.glob("*.zip*"))


@pytest.mark.parametrize("name", ["a\nb", "a\\b", "C: notes", "SNAKEFILE"])
def test_names_that_no_archive_can_hold(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"rename it|leads out|stands there twice"):
        pack(tmp_path / "a.zip", dict.fromkeys((name, "Snakefile"), tmp_path / "file"))
    assert not (tmp_path / "a.zip").exists()
