# SPDX-License-Identifier: MIT
"""Ours with very many jobs, and with very many workers."""
import json
import re
import signal
import statistics
import subprocess
import time
from urllib.request import urlopen

from ..load import bench
from ..measure import Figure, Part, at_least, at_most, figures
from ..servers import BIN, TOOLS, Manager, out

FEW = 10000
# What is asked of a manager with few jobs and of one with many, in turn.
LOADS = [
    ("submit in bulk", "submit", "-c", 4, "-b", 1000, "-n", 200000),
    ("submit, 64 connections", "submit", "-c", 64, "-n", 50000),
    ("drain", "drain", "-w", 4, "--slots", 256, "-n", 60000),
    ("both", "both", "-c", 4, "-w", 4, "-b", 100, "--slots", 64, "-n", 60000),
]
READS = ["/v1/types", "/v1/jobs?state=queued&limit=100",
         "/v1/jobs?state=failed", "/v1/jobs/"]


def many(b):
    return 300000 if b.quick else 10000000


def ratios(small, big):
    """The rates of big / small, for each load."""
    got = []
    for _, word, *args in LOADS:
        rates = {small: [], big: []}
        for i in range(6):
            m = (small, big, big, small)[i % 4]
            rates[m].append(bench(m, *args, word)[word])
        got.append(statistics.median(rates[big]) /
                   statistics.median(rates[small]))
    return got


def read_ms(m, path):
    took = []
    for _ in range(5):
        t = time.monotonic()
        with urlopen(m.url + path) as r:
            r.read()
        took.append((time.monotonic() - t) * 1e3)
    return statistics.median(took)


def loading(m):
    with urlopen(f"{m.url}/readyz") as r:
        return json.load(r)["loading"]


def restarted(m, t):
    """Seconds from t, when it was ended, until it is all there again."""
    m.start()
    ready = time.monotonic() - t
    out(f"{BIN}/fr-bench", "-m", m.url, "-n", 1, "--slots", 1, "drain")
    first = time.monotonic() - t
    while loading(m):
        time.sleep(0.02)
    return ready, first, time.monotonic() - t


@figures("backlog")
def backlog(b):
    n = many(b)

    def run():
        with Manager(b) as small, Manager(b) as big:
            base = big.status_kib()
            bench(small, "-b", 1000, "-n", FEW, "submit")
            bench(big, "-c", 4, "-b", 1000, "-n", n, "submit")
            each = (big.status_kib() - base) * 1024 / n
            got = ratios(small, big)
            one = out(f"{BIN}/fr-submit", "rare", "{}", env=big.env).strip()
            reads = [read_ms(big, p + (one if p.endswith("/") else ""))
                     for p in READS]
            t = time.monotonic()
            big.stop(signal.SIGKILL)
            return *got, each, *restarted(big, t), *reads

    yield Figure(f"with {n:,} waiting", run, parts=[
        *(Part(f"{what}: rate / with {FEW:,}", "", [at_least(0.9)])
          for what, *_ in LOADS),
        Part("memory for each", "bytes", [at_most(64)]),
        Part("ready after a kill", "s", [at_most(1)]),
        Part("and the first job is out", "s", [at_most(1)]),
        Part("and all are on offer", "s", [at_most(20)]),
        *(Part(f"GET {p}" + ("ID" if p.endswith("/") else ""), "ms",
               [at_most(50)]) for p in READS),
    ], rounds=1)


@figures("queue")
def queue(b):
    n = many(b)

    def ns(waiting):
        text = out(f"{TOOLS}/queue_bench", "-n", 500000, "-p", waiting,
                   "memory:fifo")
        return sum(float(v) for v in
                   re.findall(r"(?m)^(?:push|pop) +([\d.]+)", text))

    yield Figure("the memory queue alone, push and pop",
                 lambda: (ns(FEW), ns(n)), parts=[
                     Part(f"with {FEW:,} waiting", "ns"),
                     Part(f"with {n:,} waiting", "ns", [at_most(1000)])])


@figures("purge")
def purge(b):
    n = 100000 if b.quick else 1000000
    loads = [(c, "-c", c, "-n", some, "submit")
             for c, some in ((1, 3000), (8, 20000), (64, 40000))]

    def run():
        with Manager(b, "--retain", "0") as m:
            bench(m, "-w", 4, "--slots", 256, "-n", n, "drain")

            def p99(args):
                return bench(m, *args)["submit, p99"]

            quiet = [statistics.median(p99(a) for _ in range(3))
                     for _, *a in loads]
            t = time.monotonic()
            with subprocess.Popen(
                    [f"{BIN}/fr-ctl", "purge", "--state", "complete",
                     "--older", "0"], env=m.env,
                    stdout=subprocess.DEVNULL) as ctl:
                seen = {}
                while ctl.poll() is None:
                    for c, *a in loads:
                        v = p99(a)
                        if ctl.poll() is None:
                            seen.setdefault(c, []).append(v)
                took = time.monotonic() - t
            return *(statistics.median(seen.get(c, [q])) / q
                     for (c, *_), q in zip(loads, quiet)), n / took

    yield Figure(f"{n:,} jobs purged beside submits", run, parts=[
        *(Part(f"p99 / without, {c} connection" + ("s" if c > 1 else ""),
               "", [at_most(2)]) for c, *_ in loads),
        Part("jobs forgotten", "jobs/s"),
    ], rounds=1)


@figures("idle")
def idle(b):
    n = 1000 if b.quick else 10000

    def run():
        with Manager(b) as m:
            r = bench(m, "-w", n, "-n", 300, "idle")
            with subprocess.Popen([f"{BIN}/fr-bench", "-m", m.url, "-w",
                                   str(n), "-n", "1000000", "idle"],
                                  stdout=subprocess.DEVNULL) as load:
                m.wait_connections(n)
                mib = m.status_kib() / 1024
                load.terminate()
            return r["start after durable, p99"], mib

    yield Figure(f"{n:,} idle workers", run, parts=[
        Part("wake p99", "ms", [at_most(50)]),
        Part("memory of the manager", "MiB", [at_most(100)]),
    ], rounds=1)
