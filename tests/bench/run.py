#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make bench: every figure of Forerunner beside its peers', in one run.

Each figure is measured in rounds, ours and each peer's in turn, so that what
else the machine does hits all of them; what is printed is the median, the
spread, and ours / theirs. Times and rates on a shared machine say little
alone; the ratios are what counts.
"""
import argparse
import contextlib
import glob
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from bench import figures, measure, peers  # noqa: F401, figures registers
from bench.servers import BIN, BUILD, out


class Bench:
    """What figures need to know; a directory that is removed at the end."""

    def __init__(self, parent, quick):
        self.quick = quick
        self.stack = contextlib.ExitStack()
        os.makedirs(parent, exist_ok=True)
        for left in glob.glob(f"{parent}/run.*"):  # by one that was killed
            if not os.path.exists(f"/proc/{left.split('.')[-1]}"):
                shutil.rmtree(left, ignore_errors=True)
        self.dir = f"{parent}/run.{os.getpid()}"
        os.mkdir(self.dir)
        self.at_end(lambda: shutil.rmtree(self.dir, ignore_errors=True))

    def at_end(self, f):
        self.stack.callback(f)


def cpu():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def packages():
    names = ["beanstalkd", "gearman-job-server", "libsqlite3-0", "parallel",
             "findutils", "task-spooler", "redis-server", "postgresql-15"]
    try:
        v = subprocess.run(
            ["dpkg-query", "-W", "-f",
             "${db:Status-Abbrev}${Package} ${Version}\n", *names],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=False).stdout
    except FileNotFoundError:
        return "?"
    return ", ".join(x[2:].strip() for x in v.splitlines()
                     if x.startswith("ii"))


def fdatasync_ms(where):
    """The median of 100: what every durable answer waits for."""
    took = []
    with tempfile.TemporaryFile(dir=where) as f:
        for _ in range(100):
            f.write(b"x" * 4096)
            f.flush()
            t = time.perf_counter()
            os.fdatasync(f.fileno())
            took.append(time.perf_counter() - t)
    return sorted(took)[50] * 1000


def head(b, rounds):
    print(f"""\
machine   {cpu()}, {os.cpu_count()} processors, {platform.system()} \
{platform.release()}, load {os.getloadavg()[0]:.2f}
versions  {out(f"{BIN}/fr-manager", "--version").strip()}, {packages()}
settings  {rounds} rounds in turn; load and server share the machine; 4 KiB \
fdatasync {fdatasync_ms(b.dir):.2f} ms
          forerunner: defaults; Postgres: Debian's defaults, synchronous_commit \
on; Redis for peers: appendfsync always
          beanstalkd without a log and its clients: a processor each""", flush=True)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def done():
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")


def parser():
    p = argparse.ArgumentParser(
        description="measures Forerunner beside its peers")
    p.add_argument("--add", action="store_true",
                   help="keep what earlier runs measured in the table")
    p.add_argument("--dir", default=f"{BUILD}/bench",
                   help="scratch directory, on the disk to be measured")
    p.add_argument("--list", action="store_true",
                   help="print the names of the figures and exit")
    p.add_argument("--only", metavar="WORD[,WORD...]", default="",
                   help="these of the list's words, or names with this in")
    p.add_argument("--quick", action="store_true", help="fewer jobs")
    p.add_argument("--rounds", type=int, default=3, help="how often (3)")
    return p


def wanted(b, only):
    """(word, figure) of those that --only picks."""
    words = [w for w in only.split(",") if w]
    known = {word for word, _ in measure.REGISTRY}
    parts = [w for w in words if w not in known]
    picked = [(word, f) for word, make in measure.REGISTRY for f in make(b)
              if not words or word in words or any(p in f.name for p in parts)]
    if not picked:
        sys.exit(f"run.py: no figure has {only} in its name; see --list")
    return picked


def main():
    opt = parser().parse_args()
    opt.dir = os.path.abspath(opt.dir)
    for s in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda n, _: sys.exit(128 + n))
    b = Bench(opt.dir, opt.quick)
    with b.stack:
        picked = wanted(b, opt.only)
        if opt.list:
            for word, f in picked:
                print(f"{word:10} {f.name}")
            return
        head(b, opt.rounds)
        rows = []
        for _, f in picked:
            new = measure.measured(f, opt.rounds, progress)
            done()
            measure.show(new)
            sys.stdout.flush()
            rows = measure.keep(f"{opt.dir}/rows", new, opt.add or rows)
        with open(f"{opt.dir}/table.md", "w", encoding="utf-8") as t:
            t.write(measure.table(rows))
    if peers.npm_versions():
        print(f"\nfrom npm  {peers.npm_versions()}")
    print(f"\nthe table: {opt.dir}/table.md")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
