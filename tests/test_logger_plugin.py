"""The Snakemake logger plugin: what it says, and that it never stands in Snakemake's way."""

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
import textwrap
import time
from pathlib import Path

import pytest
from snakemake_interface_logger_plugins.tests import TestLogHandlerBase

from snakemake_logger_plugin_sparsedecay import (
    LOG_FILE,
    PROGRESS_FILE,
    LogHandler,
    LogHandlerSettings,
    display,
)
from snakemake_logger_plugin_sparsedecay.display import Progress
from snakemake_logger_plugin_sparsedecay.terminal import BottomLines
from sparsedecay.files import paths
from sparsedecay.train.loop import DIVERGED

SRC = Path(__file__).resolve().parents[1] / "src"
HALFWAY = Progress(epoch=23500, target=50000, rate=431.2, loss=0.0123, seconds_left=61.5)
NAME = "representer-eq2-lam1e-03-s0"


# --- reading progress files


def progress_file(folder: Path, content: bytes | str | dict) -> Path:
    path = folder / "50000.json"
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


GOOD = {
    "run": f"{NAME}-1a2b3c4d",
    "epoch": 23500,
    "start": 0,
    "target": 50000,
    "epochs_per_second": 431.2,
    "loss": 0.0123,
    "seconds_left": 61.5,
}


def test_reads_a_good_file(tmp_path):
    assert display.read_progress(progress_file(tmp_path, GOOD)) == HALFWAY


def test_reads_what_is_there(tmp_path):
    path = progress_file(tmp_path, {"epoch": 0, "target": 5, "loss": None, "seconds_left": "soon"})
    assert display.read_progress(path) == Progress(epoch=0, target=5)


def test_a_loss_that_is_no_number_is_kept(tmp_path):
    assert math.isnan(
        display.read_progress(progress_file(tmp_path, GOOD | {"loss": math.nan})).loss
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        json.dumps(GOOD)[:60],
        "[]",
        "null",
        "17",
        b"\xff\xfe\x00garbage",
        "[" * 4000,
        '{"epoch": 1' + "0" * 400 + ', "target": 50000}',
        '{"epoch": NaN, "target": 50000}',
        GOOD | {"epoch": -1},
        GOOD | {"epoch": "23500"},
        GOOD | {"epoch": True},
        GOOD | {"target": None},
        GOOD | {"target": 1e300},
        {"target": 50000},
        json.dumps(GOOD) + " " * 5000 + "x",
    ],
)
def test_a_file_that_makes_no_sense_is_none(tmp_path, content):
    path = progress_file(tmp_path, content)
    said = display.read_progress(path)
    if isinstance(content, str) and content.endswith("x"):
        assert said == HALFWAY  # only the beginning is ever read
    else:
        assert said is None


def test_what_is_no_file_is_none(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # reading it would never end
    for path in ("missing", "no/such/folder", ".", "pipe", "nul\0character", "x" * 5000):
        assert display.read_progress(tmp_path / path) is None


def test_a_file_left_over_from_an_earlier_job_is_none(tmp_path):
    path = progress_file(tmp_path, GOOD)
    os.utime(path, (1000, 1000))
    assert display.read_progress(path, not_before=2000) is None


# --- words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (61.5, "1 min 2 s"),
        (3599, "59 min"),
        (7500, "2 h 5 min"),
        (36000, "10 h"),
        (3 * 86400 + 3600, "3 d 1 h"),
        (1e30, "> 99 d"),
        (math.inf, "> 99 d"),
        (math.nan, "> 99 d"),
    ],
)
def test_durations(seconds, text):
    assert display.format_duration(seconds) == text
    assert len(text) <= 10


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "<0.1"), (2.34, "2.3"), (9.97, "10"), (431.2, "431"), (9999.6, "10k"), (2.5e8, "250M")],
)
def test_rates(rate, text):
    assert display.format_rate(rate) == text


def test_names_are_as_short_as_is_unique():
    jobs = [
        ("a-s0-00000000", "5"),
        ("a-s0-11111111", "5"),
        ("b-s0-22222222", "5"),
        ("c\x1b[2J", "5"),
    ]
    assert display.short_names(jobs) == ["a-s0-00000000", "a-s0-11111111", "b-s0", "c?[2J"]
    assert display.short_names([("a", "5"), ("a", "9")]) == ["a@5", "a@9"]


def test_plain_line():
    assert display.plain_line(NAME, HALFWAY) == (
        f"{NAME}: epoch 23,500 of 50,000 (47 %), 431 epochs/s, loss 1.23e-02, 1 min 2 s left"
    )
    unsure = Progress(epoch=49999, target=50000, loss=math.nan)
    assert display.plain_line("a", unsure) == "a: epoch 49,999 of 50,000 (99 %), loss nan"


# --- the live area


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (
            120,
            f"{NAME}  ━━━━━━━━━────────────   47 %  23,500/50,000 epochs    431/s"
            "  loss 1.23e-02  1 min 2 s left",
        ),
        (99, f"{NAME}  ━━━━━───────   47 %  23,500/50,000    431/s  loss 1.23e-02  1m2s left"),
        (79, f"{NAME}  ━━━────   47 %    431/s  loss 1.23e-02  1m2s left"),
        (75, f"{NAME}   47 %    431/s  loss 1.23e-02  1m2s left"),
        (65, f"{NAME}   47 %  loss 1.23e-02  1m2s left"),
        (50, f"{NAME}   47 %  1m2s left"),
        (36, f"{NAME}   47 %"),
        (20, "representer-…   47 %"),
    ],
)
def test_the_least_important_columns_go_first(width, row):
    assert display.job_rows([(NAME, HALFWAY)], width) == [row]


HOSTILE = Progress(epoch=10**12, target=1, rate=9.99e8, loss=-1e-300, seconds_left=1e300)


@pytest.mark.parametrize("jobs", [0, 1, 2, 9, 10, 16, 60])
@pytest.mark.parametrize("width", range(39, 170, 10))
def test_the_area_fits(jobs, width):
    said = [HALFWAY, None, HOSTILE, Progress(0, 0)]
    named = [(f"{NAME}{i}" * (1 + i % 2), said[i % 4]) for i in range(jobs)]
    overall = display.overall_line(3, 12, 62, ["measure", "figure"] * 9, width)
    lines = display.live_area(overall, named, width, height=12)
    assert lines[0] == overall
    assert len(lines) == min(jobs + 1, 12)
    assert all(len(line) <= width for line in lines)
    assert (lines[-1] == f"and {jobs - 10} more") == (jobs > 11)


def test_jobs_that_run_come_before_those_that_wait():
    lines = display.live_area("", [("waits", None), ("runs", HALFWAY)], 100, 10)
    assert lines[1].startswith("runs ")
    assert lines[2].startswith("waits ")
    assert lines[2].endswith("starting")


def test_overall_line():
    line = display.overall_line(3, 12, 62, ["data", "measure", "measure"], 79)
    assert line.startswith(
        "── 3 of 12 jobs done, 1 min 2 s elapsed, also running: data, 2 measure ──"
    )
    assert len(line) == 79


def test_bottom_lines_take_and_give_back_the_terminal(monkeypatch):
    master, slave = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(master, "rb", buffering=0) as screen, os.fdopen(slave, "w") as stream:
        bottom = BottomLines(stream, nocolor=True)
        assert bottom.size() is None  # a terminal of unknown size
        fcntl.ioctl(stream, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        size = bottom.size()
        assert size == (80, 24)
        bottom.show(["one", "two"], size)
        assert b"\x1b[1;22r" in (codes := screen.read(4096))  # the rest of the screen scrolls
        assert b"\x1b[23;1H\x1b[0mone\x1b[K\x1b[24;1H\x1b[0mtwo\x1b[K" in codes
        bottom.remove()
        assert b"\x1b[r" in screen.read(4096)
        monkeypatch.setenv("TERM", "dumb")
        assert bottom.size() is None


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


SNAKEFILE = """
rule all:
    input: expand("results/{run}/50000.txt", run=config["runs"].split("+"))

rule train:
    output: "results/{run}/{epoch}.txt"
    shell:
        "{config[python]} {workflow.basedir}/job.py {wildcards.run} {wildcards.epoch}"
        " && touch {output}"
"""

# Writes progress for two seconds; the run "bad" fails in between, as scripts do.
JOB = """
import json, os, sys, time
from pathlib import Path

run, target = sys.argv[1], int(sys.argv[2])
path = Path("results/progress", run, f"{target}.json")
path.parent.mkdir(parents=True, exist_ok=True)
for step in range(20):
    said = {"run": run, "epoch": target * step // 20, "start": 0, "target": target,
            "epochs_per_second": 431.2, "loss": 0.0123, "seconds_left": 61.5}
    path.with_suffix(".tmp").write_text("garbage" if step == 3 else json.dumps(said))
    os.replace(path.with_suffix(".tmp"), path)
    time.sleep(0.1)
    if run == "bad" and step == 12:
        sys.exit("Traceback\\n  job.py\\nValueError: what the job prints itself")
path.unlink()
"""


def snakemake(folder: Path, *arguments: str, runs: str) -> dict:
    """What to call subprocess with."""
    (folder / "Snakefile").write_text(textwrap.dedent(SNAKEFILE))
    (folder / "job.py").write_text(JOB)
    environment = os.environ | {"PYTHONPATH": str(SRC), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--logger", "sparsedecay"]
    config = ["--config", f"runs={runs}", f"python={sys.executable}"]
    return {"args": [*command, *arguments, *config], "cwd": folder, "env": environment}


def test_without_a_terminal_there_are_plain_lines(tmp_path):
    call = snakemake(tmp_path, "--logger-sparsedecay-interval", "0.5", runs="good-1a2b3c4d")
    ran = subprocess.run(**call, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0
    assert ran.stdout == ""
    assert "\x1b" not in ran.stderr
    assert re.search(
        r"^good: epoch [\d,]+ of 50,000 \(\d+ %\), 431 epochs/s, loss 1.23e-02, 1 min 2 s left$",
        ran.stderr,
        re.MULTILINE,
    )
    for words in ("Building DAG of jobs...", "    reason: Missing output", "Finished jobid"):
        assert words in ran.stderr
    assert "Exception ignored" not in ran.stderr  # by Python, at exit


def test_on_a_terminal_there_is_a_bar(tmp_path):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 30, 130, 0, 0))
    process = subprocess.Popen(
        **snakemake(tmp_path, runs="good-1a2b3c4d+bad"), stdout=subprocess.PIPE, stderr=slave
    )
    os.close(slave)
    seen, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            seen += (got := os.read(master, 65536))
        except OSError:  # on Linux, the end
            break
        if not got:
            break
    os.close(master)
    stdout, _ = process.communicate(timeout=60)
    assert stdout == b""
    screen = seen.decode()
    text = re.sub(r"\x1b(\[[0-9;]*[A-Za-z]|[78D])", "", screen)
    assert re.search(r"good +━+─+ +\d+ %  +[\d,]+/50,000 epochs +431/s  loss 1.23e-02", text)
    assert "1 min 2 s left" in text
    assert "── 0 of 3 jobs done, " in text
    assert process.returncode == 1
    for words in ("Building DAG of jobs...", "    reason: Missing output", "Finished jobid"):
        assert words in text
    for words in ("Error in rule train:", "ValueError: what the job prints itself"):
        assert words in text
    assert "Exception ignored" not in text
    # the whole terminal is given back, and what Snakemake says last is not wiped
    assert re.findall(r"\x1b\[(?:1;\d+)?r", screen)[-1] == "\x1b[r"
    assert "\x1b[?25l" not in screen  # the cursor is never hidden
    assert "Complete log(s):" in text


def test_a_dry_run_says_what_it_always_says(tmp_path):
    call = snakemake(tmp_path, "--dry-run", runs="good-1a2b3c4d")
    ran = subprocess.run(**call, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0
    assert "This was a dry-run" in ran.stdout
    assert "good: epoch" not in ran.stdout + ran.stderr


def test_the_plugin_looks_where_training_writes():
    assert paths.progress("{run}", "{epoch}") == PROGRESS_FILE
    assert paths.log("train", "{run}", "{epoch}") == LOG_FILE
    assert display.NEWS.strip() == DIVERGED


def test_a_run_that_diverged_is_told_of(tmp_path):
    log = tmp_path / "log"
    assert display.read_news(log) is None
    log.write_text("note: a\n" * 1000)
    assert display.read_news(log) is None
    log.write_bytes(log.read_bytes() + b"diverged: run\x1b[2J at 10\n\xff\n")
    assert display.read_news(log) == "diverged: run?[2J at 10"
    os.mkfifo(tmp_path / "pipe")
    assert display.read_news(tmp_path / "pipe") is None


def test_what_a_job_wants_to_be_known_stands_among_the_messages(tmp_path):
    call = snakemake(tmp_path, runs="good-1a2b3c4d+wild")
    job = (tmp_path / "job.py").read_text()
    job += textwrap.dedent("""
        if run == "wild":
            Path("results/logs/train/wild").mkdir(parents=True)
            Path(f"results/logs/train/wild/{target}.log").write_text("diverged: wild at 10\\n")
    """)
    (tmp_path / "job.py").write_text(job)
    ran = subprocess.run(**call, capture_output=True, text=True, timeout=60)
    assert ran.stderr.splitlines().count("diverged: wild at 10") == 1
