"""Snakemake logger plugin: Snakemake's own output, plus how far each training job is.

On a terminal the running `train` jobs have a live line each at the bottom; elsewhere a plain
line is printed for each now and then. Select it by `snakemake --logger sparsedecay`."""

import contextlib
import logging
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from . import display
from .terminal import BottomLines

RULE = "train"
PROGRESS_FILE = "results/progress/{run}/{epoch}.json"
LOG_FILE = "results/logs/train/{run}/{epoch}.log"
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
class Job:
    """A running job; only training jobs have a progress file."""

    rule: str
    run: str = ""
    epoch: str = ""
    file: Path | None = None
    log: Path | None = None
    started: float = field(default_factory=time.time)
    printed: float = field(default_factory=time.monotonic)  # when its last plain line was
    printed_epoch: int | None = None


class LogHandler(LogHandlerBase):
    """Hands every message to Snakemake's own handler and watches the running jobs besides."""

    lock: threading.RLock  # every handler is made with one

    def __post_init__(self) -> None:
        check_config_files()
        common = self.common_settings
        stream = sys.stdout if common.stdout else sys.stderr
        nocolor = common.nocolor or bool(os.environ.get("NO_COLOR"))
        # the same as LoggerManager sets up without a plugin
        self._messages = ColorizingTextHandler(
            nocolor=nocolor,
            stream=stream,
            formatter=DefaultFormatter(common.quiet, common.show_failed_logs),
            filter=DefaultFilter(
                common.quiet,
                common.debug_dag,
                common.verbose,
                common.dryrun,
                common.printshellcmds,
            ),
        )
        self._bottom = BottomLines(stream, nocolor)
        quiet = set(common.quiet or ()) & {Quietness.PROGRESS, Quietness.ALL}
        self._shows_progress = not (quiet or common.dryrun)
        self._interval = getattr(self.settings, "interval", LogHandlerSettings.interval)
        self._root = Path()  # the workflow's working directory
        self._jobs: dict[int, Job] = {}
        self._done = self._total = 0
        self._start = time.monotonic()
        self._watcher: threading.Thread | None = None
        self._stop = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message as Snakemake would, then draw conclusions. Nothing may get out: it
        would end the thread that delivers the messages."""
        try:
            self._messages.handle(record)
            if self._shows_progress:
                self._follow(record)
        except BrokenPipeError:
            pass  # nobody reads the messages any more, as in `snakemake 2>&1 | head`
        except Exception:  # as logging's own handlers do
            self.handleError(record)

    def _follow(self, record: logging.LogRecord) -> None:
        """Keep count of the running jobs."""
        about = vars(record)
        event = about.get("event")
        if event == LogEvent.RUN_INFO:
            self._root = Path.cwd()
            self._total = (about.get("stats") or {}).get("total", 0)
        elif event == LogEvent.PROGRESS:
            self._done, self._total = about["done"], about["total"]
        elif event == LogEvent.JOB_INFO:
            job = Job(about["rule_name"])
            wildcards = dict(about["wildcards"] or {})
            if job.rule == RULE and {"run", "epoch"} <= wildcards.keys():
                job.run, job.epoch = wildcards["run"], wildcards["epoch"]
                job.file = self._root / PROGRESS_FILE.format(run=job.run, epoch=job.epoch)
                job.log = self._root / LOG_FILE.format(run=job.run, epoch=job.epoch)
            self._jobs[about["jobid"]] = job
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, daemon=True)
                self._watcher.start()
        elif event == LogEvent.JOB_FINISHED:
            ended = self._jobs.pop(about["job_id"], None)
            if ended and ended.log and (news := display.read_news(ended.log)):
                self._print(news)
        elif event == LogEvent.JOB_ERROR:
            self._jobs.pop(about["jobid"], None)

    def _watch(self) -> None:
        # slower if a cluster runs very many jobs: their files may be on a network
        while not self._stop.wait(max(POLL_SECONDS, 0.01 * len(self._jobs))):
            try:
                self._update()
            except (OSError, ValueError):
                return  # whoever read our output is gone; the messages themselves will tell

    def _update(self) -> None:
        size = self._bottom.size()
        with self.lock:
            jobs = dict(self._jobs)
        training = {jobid: job for jobid, job in jobs.items() if job.file}
        names = display.short_names([(job.run, job.epoch) for job in training.values()])
        wanted = training
        if size is None:  # only those whose line is due
            due = time.monotonic() - self._interval
            wanted = {jobid: job for jobid, job in training.items() if job.printed <= due}
        said = {  # read without the lock, as a slow disk must not hold up messages
            jobid: display.read_progress(job.file, job.started - CLOCK_TOLERANCE)
            for jobid, job in wanted.items()
            if job.file
        }
        with self.lock:
            if self._stop.is_set():
                return
            running = [
                (jobid, job, name)
                for (jobid, job), name in zip(training.items(), names, strict=True)
                if self._jobs.get(jobid) is job
            ]
            if size is None:
                self._bottom.remove()  # in case there was a terminal until now
                for jobid, job, name in running:
                    self._print_news(job, name, said.get(jobid))
                return
            width = size.columns - 1  # a full last column makes some terminals wrap
            others = (job.rule for job in self._jobs.values() if not job.file)
            elapsed = time.monotonic() - self._start
            overall = display.overall_line(self._done, self._total, elapsed, others, width)
            rows = [(name, said[jobid]) for jobid, _, name in running]
            self._bottom.show(display.live_area(overall, rows, width, size.lines // 2), size)

    def _print_news(self, job: Job, name: str, progress: display.Progress | None) -> None:
        if progress is not None and progress.epoch != job.printed_epoch:
            job.printed, job.printed_epoch = time.monotonic(), progress.epoch
            self._print(display.plain_line(name, progress))

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
