"""Snakemake logger plugin: Snakemake's own output, plus how far each training job is.

On a terminal the jobs that train have a live line each at the bottom; elsewhere a plain
line is printed for each now and then. Select it by `snakemake --logger sparsedecay`."""

import contextlib
import logging
import os
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from . import display

# The rule and its folder have other names where a module has them with a prefix; the rest of the
# path stays.
LOG = re.compile(r"(?P<results>.*/)?logs/train/(?P<run>[^/]+)/(?P<epoch>[^/]+)\.log")
POLL_SECONDS = 0.5
CLOCK_TOLERANCE = 2.0  # seconds by which a file server's clock may be behind


def check_config_files() -> None:
    """Snakemake reads `--configfile` before the workflow can, and answers a missing or unreadable
    file with a stack trace or without its name. It sets up its log handler earlier still."""
    if not any(argument.startswith(("--config", "-C")) for argument in sys.argv[1:]):
        return
    from sparsedecay.errors import UserError
    from sparsedecay.study.parse import check_config_arguments

    try:
        check_config_arguments(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Becomes the command line option --logger-sparsedecay-interval."""

    interval: float = field(
        default=30.0,
        metadata={
            "help": "Without a terminal: least seconds between two progress lines of a job.",
            "type": float,
        },
    )


@dataclass
class Training:
    """A running training job."""

    log: Path
    run: str
    epoch: str
    told: Path  # where it tells how far it is
    started: float = field(default_factory=time.time)
    progress: display.Progress | None = None
    printed: float = field(default_factory=time.monotonic)  # when its last plain line was
    printed_epoch: int | None = None

    @classmethod
    def of(cls, root: Path, logs: list[str]) -> "Training | None":
        """The training that writes a log, in the workflow's folder; None if another job does."""
        named = LOG.fullmatch(logs[0]) if logs else None
        if not named:
            return None
        told = f"{named['results'] or ''}progress/{named['run']}/{named['epoch']}.json"
        return cls(root / logs[0], named["run"], named["epoch"], root / told)


class LogHandler(LogHandlerBase):
    """Hands every message to Snakemake's own handler and watches the running jobs besides."""

    lock: threading.RLock  # every handler is made with one

    def __post_init__(self) -> None:
        check_config_files()
        common = self.common_settings
        stream = sys.stdout if common.stdout else sys.stderr
        nocolor = common.nocolor or bool(os.environ.get("NO_COLOR"))
        # the same as LoggerManager sets up without a plugin
        wanted = DefaultFilter(
            common.quiet, common.debug_dag, common.verbose, common.dryrun, common.printshellcmds
        )
        words = DefaultFormatter(common.quiet, common.show_failed_logs)
        self._messages = ColorizingTextHandler(nocolor, stream, words, wanted)
        self._bottom = display.BottomLines(stream, nocolor)
        quiet = set(common.quiet or ()) & {Quietness.PROGRESS, Quietness.ALL}
        self._shows_progress = not (quiet or common.dryrun)
        self._interval = getattr(self.settings, "interval", LogHandlerSettings.interval)
        self._root = Path()
        self._trainings: dict[int, Training] = {}
        self._others: dict[int, str] = {}  # rules of the other running jobs
        self._done = self._total = 0
        self._start = time.monotonic()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._stop = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message as Snakemake would, then follow the jobs. No error may get out: it
        would end the thread that delivers the messages."""
        try:
            self._messages.handle(record)
            if self._shows_progress:
                self._follow(vars(record))
        except BrokenPipeError:
            pass  # nobody reads the messages any more, as in `snakemake 2>&1 | head`
        except Exception:  # as logging's own handlers do
            self.handleError(record)

    def _follow(self, about: dict[str, Any]) -> None:
        """Keep count of the running jobs."""
        match about.get("event"):
            case LogEvent.RUN_INFO:
                self._root = Path.cwd()
                self._total = (about.get("stats") or {}).get("total", 0)
            case LogEvent.PROGRESS:
                self._done, self._total = about["done"], about["total"]
            case LogEvent.JOB_INFO:
                jobid, logs = about["jobid"], [str(file) for file in about["log"] or ()]
                if training := Training.of(self._root, logs):
                    self._trainings[jobid] = training
                else:
                    self._others[jobid] = about["rule_name"]
                if not self._watcher.ident:
                    self._watcher.start()
            case LogEvent.JOB_FINISHED:
                self._others.pop(about["job_id"], None)
                ended = self._trainings.pop(about["job_id"], None)
                if ended and (news := display.read_news(ended.log)):
                    self._print(news)
            case LogEvent.JOB_ERROR:
                self._others.pop(about["jobid"], None)
                self._trainings.pop(about["jobid"], None)

    def _watch(self) -> None:
        # slower if a cluster runs very many jobs: their files may be on a network
        while not self._stop.wait(max(POLL_SECONDS, 0.01 * len(self._trainings))):
            try:
                self._update()
            except (OSError, ValueError):
                return  # whoever read our output is gone; the messages themselves will tell

    def _update(self) -> None:
        size = self._bottom.size()
        with self.lock:
            jobs = list(self._trainings.values())
        due = time.monotonic() - self._interval
        for job in jobs:  # without the lock, as a slow disk must not hold up messages
            if size or job.printed <= due:
                job.progress = display.read_progress(job.told, job.started - CLOCK_TOLERANCE)
        with self.lock:
            if not self._stop.is_set():
                self._show(size)

    def _show(self, size: os.terminal_size | None) -> None:
        jobs = list(self._trainings.values())
        names = display.short_names([(job.run, job.epoch) for job in jobs])
        if size:
            rows = [(name, job.progress) for name, job in zip(names, jobs, strict=True)]
            elapsed = time.monotonic() - self._start
            heading = display.overall(self._done, self._total, elapsed, self._others.values())
            width = size.columns - 1  # a full last column makes some terminals wrap
            self._bottom.show(display.live_area(heading, rows, width, size.lines // 2), size)
            return
        self._bottom.remove()  # in case there was a terminal until now
        for name, job in zip(names, jobs, strict=True):
            if job.progress and job.progress.epoch != job.printed_epoch:
                job.printed, job.printed_epoch = time.monotonic(), job.progress.epoch
                self._print(display.plain_line(name, job.progress))

    def _print(self, line: str) -> None:
        level = {"levelno": logging.INFO, "levelname": "INFO"}
        self._messages.handle(logging.makeLogRecord({"msg": line} | level))

    def flush(self) -> None:
        self._messages.flush()

    def close(self) -> None:
        """Leave the terminal clean. Snakemake calls this at the end, Python once more at exit."""
        self._stop.set()
        with self.lock, contextlib.suppress(OSError, ValueError):  # the terminal may be gone
            self._bottom.remove()
        super().close()

    # Our own filter and formatter are none: the handler within has Snakemake's.
    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False
