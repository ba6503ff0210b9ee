# SPDX-License-Identifier: MIT
"""Ours with many jobs that wait, and with many workers that do."""
import json
import signal
import subprocess
import time

from ..load import bench
from ..measure import Figure, Part, at_least, at_most, figures
from ..servers import BIN, Manager, out


@figures("backlog")
def backlog(b):
    n = 300000 if b.quick else 2000000

    def run():
        with Manager(b) as empty:
            base = empty.status_kib()
        with Manager(b) as m:
            r = bench(m, "-c", 8, "-w", 4, "--slots", 256, "-n", n, "backlog")
            each = (m.status_kib() - base) * 1024 / n
            m.stop(signal.SIGKILL)
            t = time.monotonic()
            m.start()
            ready = time.monotonic() - t
            out(f"{BIN}/fr-bench", "-m", m.url, "-n", 1, "--slots", 1, "drain")
            first = time.monotonic() - t
            while json.loads(out("curl", "-s", f"{m.url}/readyz"))["loading"]:
                time.sleep(0.05)
            return (r["submit, ratio"], r["drain, ratio"], each, ready, first,
                    time.monotonic() - t)

    yield Figure(f"with {n:,} waiting", run, parts=[
        Part("submit rate / empty", "", [at_least(0.9)]),
        Part("drain rate / empty", "", [at_least(0.9)]),
        Part("memory for each", "bytes", [at_most(64)]),
        Part("ready after a kill", "s", [at_most(1)]),
        Part("and the first job is out", "s", [at_most(1)]),
        Part("and all are on offer", "s", [at_most(20)]),
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
                time.sleep(3)
                mib = m.status_kib() / 1024
                load.terminate()
            return r["start after durable, p99"], mib

    yield Figure(f"{n:,} idle workers", run, parts=[
        Part("wake p99", "ms", [at_most(50)]),
        Part("memory of the manager", "MiB", [at_most(100)]),
    ], rounds=1)
