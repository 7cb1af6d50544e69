"""The Snakemake logger plugin: what it says, and that it never stands in Snakemake's way."""

import contextlib
import fcntl
import json
import math
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from snakemake_interface_logger_plugins.tests import TestLogHandlerBase

from snakemake_logger_plugin_sparsedecay import (
    LogHandler,
    LogHandlerSettings,
    Training,
    display,
)
from snakemake_logger_plugin_sparsedecay.display import BottomLines, Progress
from sparsedecay.files import paths
from sparsedecay.train.kept import DIVERGED

SRC = Path(__file__).resolve().parents[1] / "src"
HALFWAY = Progress(
    epoch=23500, target=50000, epochs_per_second=431.2, loss=0.0123, seconds_left=61.5
)
NAME = "representer-eq2-lam1e-03-s0"


# --- what is said

GOOD = HALFWAY.model_dump() | {"run": f"{NAME}-1a2b3c4d", "start": 0}
BAD = [
    "",
    json.dumps(GOOD)[:60],
    "[]",
    "null",
    "17",
    b"\xff\xfe\x00garbage",
    "[" * 4000,
    '{"epoch": 1' + "0" * 400 + ', "target": 50000}',
    '{"epoch": NaN, "target": 50000}',
    {"target": 50000},
    " " * 5000 + json.dumps(GOOD) + " " * 5000,
    *(GOOD | wrong for wrong in ({"epoch": -1}, {"epoch": "23500"}, {"epoch": True})),
    *(GOOD | wrong for wrong in ({"target": None}, {"target": 1e300}, {"seconds_left": "soon"})),
]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD, HALFWAY),
        ({"epoch": 0, "target": 5, "loss": None}, Progress(epoch=0, target=5)),
        (GOOD | {"loss": math.nan}, HALFWAY.model_copy(update={"loss": math.nan})),
        *((content, None) for content in BAD),
    ],
)
def test_a_progress_file_is_read_if_it_makes_sense(tmp_path, content, said):
    path = tmp_path / "50000.json"
    content = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert repr(display.read_progress(path)) == repr(said)  # NaN does not equal itself
    os.utime(path, (1000, 1000))
    assert display.read_progress(path, not_before=2000) is None  # an earlier job's


@pytest.mark.parametrize("name", ["missing", "no/such/folder", ".", "pipe", "a\0b", "x" * 5000])
def test_what_is_no_file_says_nothing(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")  # reading it would never end
    assert display.read_progress(tmp_path / name) is None
    assert display.read_news(tmp_path / name) is None


def test_a_run_that_diverged_is_told_of(tmp_path):
    log = tmp_path / "log"
    log.write_text("note: a\n" * 1000)
    assert display.read_news(log) is None
    log.write_bytes(log.read_bytes() + b"diverged: run\x1b[2J at 10\n\xff\n")
    assert display.read_news(log) == "diverged: run?[2J at 10"


DURATIONS = {0: "0:00:00", 59.6: "0:01:00", 61.5: "0:01:02", 7500: "2:05:00", 36000: "10:00:00"}
RATES = {0.042: "0.042", 2.34: "2.3", 9.97: "10", 431.2: "431", 9999.6: "10,000"}


@pytest.mark.parametrize(
    ("field", "value", "column", "text"),
    [
        *(("seconds_left", seconds, "left", text) for seconds, text in DURATIONS.items()),
        *(("epochs_per_second", rate, "epochs/s", text) for rate, text in RATES.items()),
    ],
)
def test_numbers_in_columns(field, value, column, text):
    progress = Progress(epoch=0, target=1, **{field: value})
    assert progress.columns()[column] == text


def test_names_are_as_short_as_is_unique():
    jobs = [("a-s0-00000000", "5"), ("a-s0-11111111", "5"), ("b-s0-22222222", "5")]
    names = ["a-s0-00000000@5", "a-s0-11111111@5", "b-s0", "c?[2J"]
    assert display.short_names([*jobs, ("c\x1b[2J", "5")]) == names
    assert display.short_names([("a", "5"), ("a", "9")]) == ["a@5", "a@9"]


def test_plain_line():
    assert display.plain_line(NAME, HALFWAY) == (
        f"{NAME}: epoch 23,500 of 50,000 (47 %), 431 epochs/s, loss 1.23e-02, 0:01:02 left"
    )
    unsure = Progress(epoch=49999, target=50000, loss=math.nan)
    assert display.plain_line("a", unsure) == "a: epoch 49,999 of 50,000 (99 %), loss nan"


@pytest.mark.parametrize(
    ("width", "columns", "row"),
    [
        (
            110,
            "done epoch epochs/s loss left",
            "━━━━━━━━━━━━━━────────────────  47 %  23,500/50,000       431  1.23e-02  0:01:02",
        ),
        (79, "epoch epochs/s loss left", "━━────  23,500/50,000       431  1.23e-02  0:01:02"),
        (78, "done epochs/s loss left", "━━━━━━────────  47 %       431  1.23e-02  0:01:02"),
        (65, "done epochs/s loss left", "47 %       431  1.23e-02  0:01:02"),
        (55, "done loss left", "47 %  1.23e-02  0:01:02"),
        (49, "done left", "47 %  0:01:02"),
        (36, "done", "47 %"),
        (20, "done", "47 %"),
    ],
)
def test_the_least_important_columns_go_first(width, columns, row):
    headings, line = display.table([(NAME, HALFWAY)], width)
    assert headings.split() == ["run", *columns.split()]
    name = NAME if width > 20 else "representer-e…"  # it is cropped last
    assert line == f"{name}  {row}"


@pytest.mark.parametrize("jobs", [0, 1, 2, 9, 10, 16, 60])
@pytest.mark.parametrize("width", range(39, 170, 10))
def test_the_area_fits(jobs, width):
    hostile = Progress(
        epoch=10**12, target=1, epochs_per_second=9.99e8, loss=-1e-300, seconds_left=1e300
    )
    said = [HALFWAY, None, hostile, Progress(epoch=0, target=0)]
    named = [(f"{NAME}{i}" * (1 + i % 2), said[i % 4]) for i in range(jobs)]
    heading = display.overall(3, 12, 62, ["measure", "figure"] * 9)
    lines = display.live_area(heading, named, width, height=12)
    assert len(lines) == (min(jobs + 2, 12) if jobs else 1)
    assert all(len(line) <= width for line in lines)
    assert (lines[-1] == f"and {jobs - 9} more") == (jobs > 10)


def test_jobs_that_run_come_before_those_that_wait():
    heading = display.overall(3, 12, 62, ["data", "measure", "measure"])
    rule, _, *rows = display.live_area(heading, [("waits", None), ("runs", HALFWAY)], 100, 10)
    assert rule.startswith(
        "── 3 of 12 jobs done, 0:01:02 elapsed, also running: data, 2 measure ──"
    )
    assert len(rule) == 100
    assert rows[0].startswith("runs ")
    assert rows[1].startswith("waits ")
    assert rows[1].split()[2:] == ["…", "starting"]


def screen(lines: int, columns: int) -> tuple[int, int]:
    """A terminal of its own: what it shows, and what to write to."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
    return master, slave


def test_bottom_lines_take_and_give_back_the_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    master, slave = screen(24, 80)
    with os.fdopen(master, "rb", buffering=0) as shown, os.fdopen(slave, "w") as stream:
        bottom = BottomLines(stream, nocolor=True)
        size = bottom.size()
        assert size == (80, 24)
        bottom.show(["one", "two"], size)
        codes = shown.read(4096)
        assert b"\x1b[1;22r" in codes  # the rest of the screen scrolls
        for row, line in ((23, b"one"), (24, b"two")):
            assert b"\x1b[%d;1H\x1b[0m%b\x1b[K" % (row, line) in codes
        bottom.remove()
        assert b"\x1b[r" in shown.read(4096)
        monkeypatch.setenv("TERM", "dumb")
        assert bottom.size() is None
    for size in ((0, 0), (7, 80), (24, 39)):  # unknown, or too small
        monkeypatch.setenv("TERM", "xterm")
        master, slave = screen(*size)
        with os.fdopen(master, "rb"), os.fdopen(slave, "w") as stream:
            assert BottomLines(stream, nocolor=True).size() is None


# --- the plugin


class TestInterface(TestLogHandlerBase):
    """Snakemake's own tests for logger plugins."""

    __test__ = True

    @pytest.fixture(autouse=True)
    def close_handlers(self):
        self.handlers = []
        yield
        for handler in self.handlers:
            handler.close()

    def get_log_handler_cls(self):
        return LogHandler

    def get_log_handler_settings(self):
        return LogHandlerSettings()

    def _create_handler(self):
        self.handlers.append(super()._create_handler())
        return self.handlers[-1]


# As in a module with a prefix, whose rules and folders have other names.
SNAKEFILE = """
rule all:
    input: expand("results/{run}/50000.txt", run=config["runs"].split("+"))

rule paper_train:
    output: "results/{run}/{epoch}.txt"
    log: "wide/results/logs/train/{run}/{epoch}.log"
    shell:
        "{config[python]:q} {workflow.basedir}/job.py {wildcards.run} {wildcards.epoch}"
        " && touch {output}"
"""

# Writes progress for two seconds; the run "bad" fails in between, as scripts do, and "wild" ends
# with news in its log.
JOB = """
import json, os, sys, time
from pathlib import Path

run, target = sys.argv[1], int(sys.argv[2])
path = Path("wide/results/progress", run, f"{target}.json")
log = Path("wide/results/logs/train", run, f"{target}.log")
for file in (path, log):
    file.parent.mkdir(parents=True, exist_ok=True)
for step in range(20):
    said = {"run": run, "epoch": target * step // 20, "start": 0, "target": target,
            "epochs_per_second": 431.2, "loss": 0.0123, "seconds_left": 61.5}
    path.with_suffix(".tmp").write_text("garbage" if step == 3 else json.dumps(said))
    os.replace(path.with_suffix(".tmp"), path)
    time.sleep(0.1)
    if run == "bad" and step == 12:
        sys.exit("Traceback\\n  job.py\\nValueError: what the job prints itself")
path.unlink()
if run == "wild":
    log.write_text("diverged: wild at 10\\n")
"""
MESSAGES = ("Building DAG of jobs...", "    reason: Missing output", "Finished jobid")


def start(folder: Path, *arguments: str, runs: str, **options) -> subprocess.Popen:
    """Snakemake in this folder; `options` as of Popen."""
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "job.py").write_text(JOB)
    environment = os.environ | {"PYTHONPATH": str(SRC), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--logger", "sparsedecay"]
    config = ["--config", f"runs={runs}", f"python={sys.executable}"]
    return subprocess.Popen(
        [*command, *arguments, *config],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        **{"stderr": subprocess.PIPE, "text": True, **options},
    )


def test_without_a_terminal_there_are_plain_lines(tmp_path):
    process = start(tmp_path, "--logger-sparsedecay-interval", "0.5", runs="good-1a2b3c4d+wild")
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0
    assert stdout == ""
    assert "\x1b" not in stderr
    assert re.search(
        r"^good: epoch [\d,]+ of 50,000 \(\d+ %\), 431 epochs/s, loss 1.23e-02, 0:01:02 left$",
        stderr,
        re.MULTILINE,
    )
    assert stderr.splitlines().count("diverged: wild at 10") == 1
    assert all(words in stderr for words in MESSAGES)
    assert "Exception ignored" not in stderr  # by Python, at exit


def test_on_a_terminal_there_is_a_bar(tmp_path):
    master, slave = screen(30, 130)
    process = start(tmp_path, runs="good-1a2b3c4d+bad", stderr=slave)
    os.close(slave)
    seen, deadline = b"", time.monotonic() + 60
    with contextlib.suppress(OSError):  # on Linux, the end
        while time.monotonic() < deadline and (got := os.read(master, 65536)):
            seen += got
    os.close(master)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stdout == ""
    codes = seen.decode()
    text = re.sub(r"\x1b(\[[0-9;]*[A-Za-z]|[78D])", "", codes)
    assert re.search(r"good +━+─+ +\d+ %  +[\d,]+/50,000 +431  1.23e-02  0:01:02", text)
    words = ("── 0 of 3 jobs done, ", "Error in rule paper_train:", "Complete log(s):")
    assert all(words in text for words in (*MESSAGES, *words))
    assert "ValueError: what the job prints itself" in text
    assert "Exception ignored" not in text
    # the whole terminal is given back, and what Snakemake says last is not wiped
    assert re.findall(r"\x1b\[(?:1;\d+)?r", codes)[-1] == "\x1b[r"
    assert "\x1b[?25l" not in codes  # the cursor is never hidden


def test_a_dry_run_says_what_it_always_says(tmp_path):
    process = start(tmp_path, "--dry-run", runs="good-1a2b3c4d")
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "This was a dry-run" in stdout
    assert "good: epoch" not in stdout + stderr


def test_the_plugin_looks_where_training_writes():
    for place in ("", "wide/", "../"):
        found = Training.of(Path("/folder"), [place + paths.log("train", "run", 500)])
        assert (found.run, found.epoch) == ("run", "500")
        assert found.told == Path("/folder", place + paths.progress("run", 500))
    assert Training.of(Path(), [paths.log("measure", "run", 500)]) is None
    assert Training.of(Path(), []) is None
    assert display.NEWS.strip() == DIVERGED
