# SPDX-License-Identifier: MIT
"""Ours while a thousand connections ask for more than there is."""
import json
import subprocess
import time

from ..load import bench
from ..measure import Figure, Part, at_least, at_most, figures
from ..servers import BIN, BUILD, Manager, out

FLOOD = f"{BUILD}/tests/api/flood"
SECONDS = 5


def complete(m, kind):
    """Asked until it is answered: the flood fills that call's place, too."""
    while True:
        t = subprocess.run(["curl", "-sf", f"{m.url}/v1/types"],
                           capture_output=True, text=True)
        if t.returncode == 0:
            return json.loads(t.stdout).get(kind, {}).get("complete", 0)


def rate(m, kind, seconds):
    n, t = complete(m, kind), time.monotonic()
    time.sleep(seconds)
    return (complete(m, kind) - n) / (time.monotonic() - t)


def flooded(b, kind):
    with Manager(b) as m:
        bench(m, "-b", 1000, "-n", 900000, "--type", "other", "submit")
        host, port = m.url.split("//")[1].split(":")
        handler = f"{BUILD}/tests/bench/handler"
        with subprocess.Popen([f"{BIN}/fr-worker", "-m", m.url, "-c", "4",
                               "-H", handlers_of(b, handler)],
                              stderr=subprocess.DEVNULL) as worker:
            while complete(m, "other") == 0:
                time.sleep(0.02)
            calm = rate(m, "other", 2)
            with subprocess.Popen([FLOOD, host, port, "1000", str(SECONDS),
                                   kind], stdout=subprocess.PIPE,
                                  text=True) as flood:
                m.wait_connections(1000)
                busy = rate(m, "other", SECONDS - 1)
                told = json.loads(flood.communicate()[0])
            peak = m.status_kib("VmHWM") / 1024
            worker.terminate()
        n = sum(v for k, v in told.items() if k.isdigit())
        return told.get("503", 0) / max(n, 1), peak, busy / calm


def handlers_of(b, handler):
    d = f"{b.dir}/flood"
    out("mkdir", "-p", d)
    out("cp", handler, f"{d}/other.lines")
    return d


@figures("flood")
def flood(b):
    for kind, what in (("submit", "small jobs"), ("batch", "16 MiB batches")):
        yield Figure(f"1,000 connections submit {what}",
                     lambda kind=kind: flooded(b, kind), parts=[
                         Part("refused", "of all", []),
                         Part("peak memory of the manager", "MiB",
                              [at_most(700)]),
                         Part("another type's work / without", "",
                              [at_least(0.2)]),
                     ], rounds=1)
