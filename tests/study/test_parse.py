"""Reading config files: whatever stands in them, one clear line, soon."""

import json
import time
import tracemalloc
from pathlib import Path

import pytest
from snakemake.cli import parse_config

from sparsedecay.errors import UserError
from sparsedecay.study import parse
from sparsedecay.study.entries import overlaid
from sparsedecay.study.parse import check_config_arguments


def read(content: str | bytes):
    """What is read of a file mine.yaml in the working directory."""
    Path("mine.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return parse.read(Path("mine.yaml"))


def refusal(content: str | bytes) -> str:
    """What a user is told about a file: one line that names it."""
    began = time.monotonic()
    with pytest.raises(UserError) as caught:
        read(content)
    assert time.monotonic() - began < 60  # no measure of speed: exploding takes for ever
    message = str(caught.value)
    assert message.isprintable(), "more than one line, or control characters"
    assert message.startswith("mine.yaml")
    assert len(message) < 300
    return message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1.0e-3", 1e-3),
        ("-1E5", -1e5),
        ("010", 10),  # YAML 1.1 would read 8
        ("200_000", 200_000),
        ("0x10", 16),
        ("yes", "yes"),  # YAML 1.1 would read true
        ("1:30", "1:30"),  # YAML 1.1 would read 90
        ("true", True),
        ("", None),
        ("~", None),
        ("none", "none"),
        ("2001-01-01", "2001-01-01"),
        ("'1e-3'", "1e-3"),
        (".inf", float("inf")),
        ("1e400", float("inf")),
        ("1" * 5000, float("inf")),  # Python refuses to convert that many digits
        ("1" + "0" * 50, 1e50),
        ("+", "+"),
        ("-_", "-_"),
        ("!!int x", "x"),
        ("!!bool x", "x"),
        ("!!int ''", ""),
        ("!!float _", "_"),
        ("!!float 5", 5.0),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    read_value = read(f"a: {text}\n").plain()["a"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_every_value_knows_its_line_and_its_text():
    entry = read("# a comment\ntraining:\n  stride: 5_0\n  # more\n  range: [0.50,\n    1]\n")
    assert entry.place == "mine.yaml"
    assert entry.at(("training",)).place == "mine.yaml:2"
    assert entry.at(("training", "stride")).place == "mine.yaml:3"
    assert entry.at(("training", "stride")).written() == "5_0"
    assert entry.at(("training", "range")).place == "mine.yaml:5"
    assert entry.at(("training", "range", 1)).place == "mine.yaml:6"
    assert entry.at(("training", "range")).written() == "[0.50, 1]"
    assert entry.at(("training", "epochs")).place == "mine.yaml:2", (
        "of what is missing: its section"
    )


def test_values_are_shown_in_one_short_line():
    entry = read(f'a: "two\\nlines"\nb: {"x" * 500}\nc: {list(range(99))}\nd: {{e: null}}\n')
    assert entry.at(("a",)).written() == r"'two\nlines'"
    assert entry.at(("b",)).written() == "x" * 59 + "…"
    assert entry.at(("c",)).written().startswith("[0, 1, 2, ")
    assert entry.at(("c",)).written().endswith(", …]")
    assert len(entry.at(("c",)).written()) < 70
    assert entry.at(("d",)).written() == "{e: null}"


def test_aliases_and_merge_keys_are_written_out():
    text = "a: &a {x: 1, y: 2}\nb: &b {x: 9}\nc: {<<: *a, y: 3}\nd: {<<: [*b, *a]}\ne: [*b]\n"
    assert read(text).plain() == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 9},
        "c": {"x": 1, "y": 3},
        "d": {"x": 9, "y": 2},
        "e": [{"x": 9}],
    }


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),  # Windows editors begin with this mark
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"%YAML 1.2\n---\n" + text.encode() + b"...\n",
        lambda text: json.dumps({"a": {"b": [1, 0.5]}, "c": "é"}).encode(),
    ],
)
def test_other_spellings_of_the_same(encode):
    assert read(encode("a:\n  b: [1, 0.5]\nc: é\n")).plain() == {
        "a": {"b": [1, 0.5]},
        "c": "é",
    }


BOMB = "\n".join(
    ["a0: &a0 [1, 1]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40))]
)
MERGE_BOMB = "\n".join(
    ["a0: &a0 {x: 1}", *(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}" for i in range(1, 40))]
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "mine.yaml: is empty"),
        (b"# only a comment\n", "mine.yaml: is empty"),
        (b"- data\n- network\n", "holds no keys but a list"),
        (b"data\n", "holds no keys but a single value"),
        (b"null\n", "holds no keys but a single value"),
        (b"a: 1\n\tb: 2\n", "mine.yaml:2: is not readable YAML: a tab (column 1); indent with"),
        (b"a: [1\nb: 2\n", "mine.yaml:2: is not readable YAML"),
        (b"a: b: c\n", "mine.yaml:1: is not readable YAML: mapping values are not allowed here"),
        (b'a: "b\n', "is not readable YAML"),
        (b"a: @b\n", "is not readable YAML"),
        (b"a: *b\n", "found undefined alias 'b'"),
        (b"a: 1\n---\nb: 2\n", "a second document begins"),
        (b"a: \x00\n", "control characters"),
        (b"a: \x1b[2J\n", "control characters"),
        (b"\x89PNG\r\n\x1a\n\xff\xd8", "is not UTF-8 text (byte 0x89 at position 0)"),
        ("a: é\n".encode("latin-1"), "is not UTF-8 text (byte 0xe9 at position 3)"),
        ("a: 1\n".encode("utf-16"), "is not UTF-8 text"),
        (b"a: 1\nb: {c: 3,\n  c: 4}\n", "mine.yaml:3: b.c: stands twice, before in mine.yaml:2"),
        (b"a: 1\n'a': 2\n", "mine.yaml:2: a: stands twice"),
        (b"a:\n  ? [b]\n  : c\n", "mine.yaml:2: a: a key must be a single word, not a list"),
        (b"? {a: b}\n: c\n", "a key must be a single word, not a section"),
        (b"a: !!python/object/apply:os.system [ls]\n", "mine.yaml:1: a: the tag !!python/object"),
        (b"a: [!mine 3]\n", "a[0]: the tag !mine is not allowed; remove it"),
        (b"a: !!set {b, c}\n", "the tag !!set is not allowed"),
        (b"a: !!map 3\n", "the tag !!map is not allowed"),
        (b"<<: 3\n", "<<: 3 is not allowed; write the alias"),
        (b"%YAML 1.x\n---\na: 1\n", "is not readable YAML"),
        (b"%YAML 1" + b"1" * 5000 + b".1\n---\na: 1\n", "is not readable YAML"),
        (b'a: "\\U00110000"\n', "is not readable YAML"),
        (b"a: &a [*a]\n", "a[0][0]…: is nested too deeply"),
        (b"a: &a {b: *a}\n", "is nested too deeply"),
        (b"a: &a {<<: *a}\n", "is nested too deeply"),
        (b"a: " + b"[" * 500 + b"]" * 500, "is nested too deeply"),
        (b"[" * 29_000, "is nested too deeply"),
        (b"- " * 14_000, "is nested too deeply"),
        (b"a: 1 #" + b"x" * 30_000, "larger than the 30,000 bytes"),
        (BOMB.encode(), "more than 10,000 values"),
        (MERGE_BOMB.encode(), "more than 10,000 values"),
    ],
)
def test_what_is_no_config_is_refused_in_one_line(content, said):
    assert said in refusal(content)


def test_a_bomb_takes_little_memory():
    tracemalloc.start()
    try:
        refusal(BOMB)
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("none.yaml", "none.yaml: no such file"),
        (".", "Is a directory"),
        ("/dev/zero", "/dev/zero: is no config"),
        ("a\nb", "'a\\nb': no such file"),
    ],
)
def test_what_is_no_file_is_refused(file, said):
    with pytest.raises(UserError) as caught:
        parse.read(Path(file))
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_files_in_the_working_directory_are_named_by_their_short_path():
    with pytest.raises(UserError, match=r"^config/none\.yaml: "):
        parse.read(Path.cwd() / "config" / "none.yaml")


def test_sections_are_merged_and_lists_replaced():
    base = read("a: {b: 1, c: [1, 2, 3]}\nd: {e: 1}\n")
    over = parse.overrides({"a": {"c": [4]}, "d": 5, "f": {"g": 6}})
    merged = overlaid(base, over)
    assert merged.plain() == {"a": {"b": 1, "c": [4]}, "d": 5, "f": {"g": 6}}
    assert merged.at(("a", "b")).place == "mine.yaml:1"
    assert merged.at(("a", "c", 0)).place == "--config"
    assert base.plain()["d"] == {"e": 1}, "the base itself is left alone"


def test_a_section_of_another_kind_replaces_the_old_one():
    base = read("a: {kind: x, b: 1}\nd: {e: 1}\n")
    for given, left in (
        ({"kind": "y", "c": 2}, {"kind": "y", "c": 2}),
        ({"kind": "x", "c": 2}, {"kind": "x", "b": 1, "c": 2}),
        ({"c": 2}, {"kind": "x", "b": 1, "c": 2}),
        ({"kind": ["y"]}, {"kind": ["y"], "b": 1}),  # for the study to refuse
    ):
        merged = overlaid(base, parse.overrides({"a": given}))
        assert merged.plain() == {"a": left, "d": {"e": 1}}


def test_overrides_that_come_as_text_are_read_as_yaml():
    """Snakemake reads `--config 'a={b: 1e-3}'` as {"a": {"b": "1e-3"}}."""
    given = {"a": {"b": "1e-3", "c": "null", "d": ["5", "true"], "e": "none", "f": "- x"}, "g": 7}
    assert parse.overrides(given).plain() == {
        "a": {"b": 1e-3, "c": None, "d": [5, True], "e": "none", "f": "- x"},
        "g": 7,
    }


def test_overrides_without_end_are_refused():
    endless: dict = {}
    endless["a"] = endless
    with pytest.raises(UserError, match=r"--config: a\.a\.a…: is nested too deeply"):
        parse.overrides(endless)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-n", "--configfile", "none.yaml"], r"^none\.yaml: no such file"),
        (["--configfile=none.yaml"], r"^none\.yaml: no such file"),
        (["--configfiles", "good.yaml", "broken.yaml", "-n"], r"^broken\.yaml:2: is not readable"),
        (
            ["--configfile", "good.yaml", "all"],
            "^all: no such file.*targets go before --configfile",
        ),
        (["--config", "training.epochs=5"], r"write --config 'training={epochs: 5}'"),
        (["-C", "a.b.c=[5]"], r"write --config 'a={b: {c: \[5\]}}'"),
        (["--config", "K=5"], r"K is no section of a config; write --config 'SECTION={K: 5}'"),
        (["--config", "training={}", "figures/fig1.pdf"], "figures/fig1.pdf: is not NAME=VALUE"),
    ],
)
def test_what_snakemake_would_trip_over_is_told_first(arguments, said):
    Path("good.yaml").write_text("a: 1\n")
    Path("broken.yaml").write_text("a: [1\nb: 2\n")
    with pytest.raises(UserError, match=said) as caught:
        check_config_arguments(arguments)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-n", "figures/fig4.pdf", "--cores", "2", "-q"],
        ["all", "--configfile", "good.yaml", "--config", "training={epochs: 5}", "measures="],
        ["--configfile"],  # for Snakemake's parser to refuse
        ["--conf", "none.yaml"],  # not an option of ours
        ["-nC", "a"],
    ],
)
def test_arguments_that_are_fine_or_anothers_business_pass(arguments):
    Path("good.yaml").write_text("a: 1\n")
    check_config_arguments(arguments)


@pytest.mark.parametrize("name", ["training", "a.b", "K", "data", "1a", "a-b", "-a", "a_", "a b"])
def test_names_of_sections_are_those_that_snakemake_takes(name):
    """Its parser raises ValueError for others; just those are ours to refuse."""

    def passes(check, entry):
        try:
            check(entry)
        except (ValueError, UserError):
            return False
        return True

    ours = passes(check_config_arguments, [f"--config={name}=1"])
    assert ours == passes(parse_config, [f"{name}=1"])
