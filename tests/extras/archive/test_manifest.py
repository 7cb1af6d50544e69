"""Every way in which an archive can differ from what was packed is found and named."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsedecay.errors import DamagedFile, UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.manifest import KINDS, LABEL, SUMS, differences, digest, kind
from sparsedecay.extras.archive.opening import opened
from sparsedecay.extras.archive.pack import pack
from sparsedecay.extras.archive.verify import main
from tests.extras.archive.made import ROOT, TEXTS, contents, flipped, label, listed, small, zipped


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return small(tmp_path_factory.mktemp("whole") / "a.zip")


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
    files[name] = flipped(files[name], at, data.draw(st.integers(0, 7)))
    path = zipped(tmp_path_factory.mktemp("flipped") / "a.zip", files)
    if name == SUMS:
        assert found(path)
    else:
        assert found(path) == [f"altered: {name}"]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_one_flipped_bit_in_the_zip_itself_is_found(whole, tmp_path_factory, data):
    """Wherever it lies, if the SHA-256 of the archive lies beside it."""
    content = whole.read_bytes()
    at, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("flipped") / "a.zip"
    path.write_bytes(flipped(content, at, bit))
    sums = subprocess.run(["sha256sum", whole], capture_output=True, text=True, check=True)
    (path.parent / "a.zip.sha256").write_text(sums.stdout)
    assert found(path)


def test_what_is_missing_added_or_altered_is_named(whole, tmp_path, capsys):
    files = contents(whole)
    del files["figures/fig1.pdf"]
    files["figures/fig9.pdf"] = b"new"
    files["results/logs/data/grid.log"] += b"more"
    code, said = verify(zipped(tmp_path / "a.zip", files), capsys=capsys)
    assert code == 1
    assert said.splitlines() == [
        "missing: figures/fig1.pdf",
        "added: figures/fig9.pdf",
        "altered: results/logs/data/grid.log",
        f"{tmp_path / 'a.zip'}: is not as it was packed; get it again",
    ]


def test_many_differences_are_counted(whole, tmp_path, capsys):
    files = {**contents(whole), **{f"docs/{i}.md": b"" for i in range(30)}}
    code, said = verify(zipped(tmp_path / "a.zip", files), capsys=capsys)
    assert code == 1
    assert "… and 10 more" in said


@pytest.mark.parametrize(
    "name",
    [
        "results/train/run/10/state.pt",
        "figures/fig1.pkl",
        "results/x",
        ".snakemake/iocache/latest.pkl",
        ".snakemake/locks/0.output.lock",
        ".snakemake/incomplete/ZmlndXJlcy9maWcxLnBkZg==",
        ".snakemake/metadata/evil",
        # figures/../../victim and /etc/passwd
        ".snakemake/metadata/ZmlndXJlcy8uLi8uLi92aWN0aW0=",
        ".snakemake/metadata/L2V0Yy9wYXNzd2Q=",
    ],
)
def test_results_in_a_format_that_may_run_code(whole, tmp_path, name):
    path = zipped(tmp_path / "a.zip", listed({**contents(whole), name: b"\x80\x04."}))
    with pytest.raises(UserError, match="is in a format that no archive of sparsedecay holds"):
        main([str(path)])


@pytest.mark.parametrize("name", [SUMS, LABEL])
def test_some_other_zip(whole, tmp_path, name):
    files = contents(whole)
    del files[name]
    files = files if name == SUMS else listed(files)
    with pytest.raises(UserError, match=f"holds no {name}, so it is no archive"):
        main([str(zipped(tmp_path / "a.zip", files))])


def test_an_archive_of_another_version(whole, tmp_path):
    said = label().model_dump_json().replace('"weights":true', '"wights":true').encode()
    path = zipped(tmp_path / "a.zip", listed({**contents(whole), LABEL: said}))
    with pytest.raises(UserError, match=r"archive\.json: weights: .*made by another version"):
        main([str(path)])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "\x1b[31mother"),
        ("version", "0.1\nfake.zip: all as they were packed"),
        ("commit", "HEAD"),
        ("config", "../../etc/passwd"),
        ("config", "a\x1b]0;title\x07"),
        ("changed", ["\u202e"]),
        ("versions", {"\x07": "1"}),
    ],
)
def test_a_label_that_would_do_harm(whole, tmp_path, capsys, key, value):
    said = json.dumps({**json.loads(label().model_dump_json()), key: value}).encode()
    path = zipped(tmp_path / "a.zip", listed({**contents(whole), LABEL: said}))
    with pytest.raises(UserError, match=r"archive\.json: ") as caught:
        main([str(path)])
    assert str(caught.value).isprintable()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "name", ["snakemake.py", "yaml.so", "matplotlibrc", "src/x.py", "Makefile"]
)
def test_more_code_is_other_code(tmp_path, name, capsys):
    path = zipped(tmp_path / "a.zip", listed({**contents_of_this_copy(), name: b"x = 1"}))
    with pytest.raises(UserError, match=f"its code is not that of this copy of .*{name}.*--trust"):
        main([str(path), "--rerender"])


def contents_of_this_copy():
    """An archive whose code is ours, and that holds nothing else."""
    files = {"Snakefile": (ROOT / "Snakefile").read_bytes(), "config/config.yaml": b""}
    return {**files, LABEL: label().model_dump_json().encode()}


def test_code_of_others_is_not_run_unasked(whole, tmp_path):
    for flags in (["--rerender"], ["--retrain", "run"]):
        with pytest.raises(UserError, match=r"its code is not that of this copy .*add --trust"):
            main([str(whole), *flags, "--folder", str(tmp_path / "new")])
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_empty(whole, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"is not empty; name a new one"):
        main([str(whole), "--rerender", "--trust", "--folder", str(tmp_path)])


@given(st.dictionaries(st.from_regex(r"[a-z./ ]{0,9}[a-z]", fullmatch=True), st.binary(max_size=4)))
def test_the_manifest_is_read_as_it_was_written(files):
    sums = {name: digest(content) for name, content in files.items()}
    assert manifest.read_sums(manifest.write_sums(sums), "here") == sums


def test_the_manifest_is_one_for_sha256sum(whole, tmp_path):
    for name, content in contents(whole).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    command = ["sha256sum", "--check", "--strict", "--quiet", SUMS]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "Snakefile").write_text("other")
    env = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "Snakefile: FAILED\n")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b"  ", b" "),
        lambda text: text.upper(),
        lambda text: text + b"x\n",
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text[:-1],
        lambda text: b"\n".join(reversed(text.splitlines())) + b"\n",
        lambda text: text + text.splitlines()[0] + b"\n",
        lambda text: b"\xff" + text,
    ],
)
def test_a_manifest_that_is_written_otherwise(spoil):
    text = manifest.write_sums({"a": "0" * 64, "b": "a" * 64})
    with pytest.raises(DamagedFile, match="here: is no list of SHA-256"):
        manifest.read_sums(spoil(text), "here")


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
    with pytest.raises(UserError, match="altered: log while it was archived"):
        pack(tmp_path / "a.zip", {"log": file})
    assert not list(tmp_path.glob("*.zip*"))


@pytest.mark.parametrize("name", ["a\nb", "a\\b", "C: notes", "SNAKEFILE"])
def test_names_that_no_archive_can_hold(tmp_path, name):
    with pytest.raises(UserError, match=r"rename it|leads out|stands there twice"):
        pack(tmp_path / "a.zip", {name: b"", "Snakefile": b""})
    assert not Path(tmp_path / "a.zip").exists()
