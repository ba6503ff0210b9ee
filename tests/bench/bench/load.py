# SPDX-License-Identifier: MIT
"""The load put on ours: fr-bench, and the programs that people run."""
import json
import os
import shutil
import subprocess

from .servers import BIN, TOOLS, out, seconds, seconds_all


def bench(m, *args):
    """fr-bench: {figure: value}"""
    return json.loads(out(f"{BIN}/fr-bench", "--json", *args, env=m.env))


def lines(b, n):
    """A file of n lines of data, about 80 bytes each."""
    path = f"{b.dir}/lines.{n}"
    if not os.path.exists(path):
        with open(path, "w", encoding="ascii") as f:
            for i in range(n):
                f.write('{"n":%d,"user":"someone@example.com",'
                        '"note":"hello job queue world 123"}\n' % i)
        b.at_end(lambda: os.unlink(path))
    return path


def handlers(b):
    """A directory with the least that a handler can do, kept running as
    bench.lines and, as spawned, for each job."""
    d = f"{b.dir}/handlers"
    os.makedirs(d, exist_ok=True)
    shutil.copy(f"{TOOLS}/handler", f"{d}/bench.lines")
    shutil.copy(f"{TOOLS}/handler", f"{d}/spawned")
    return d


def submit_bulk(managers, path, n):
    """fr-submit --bulk, one for each manager with its share of the lines:
    jobs a second of whole processes."""
    if len(managers) == 1:
        with open(path, "rb") as f:
            return n / seconds([f"{BIN}/fr-submit", "--bulk", "bench"],
                               env=managers[0].env, stdin=f)
    share = n // len(managers)
    return share * len(managers) / seconds_all(
        [(["sh", "-c", f"tail -n +{i * share + 1} {path} | head -n {share} |"
           f" {BIN}/fr-submit --bulk bench"], {"env": m.env})
         for i, m in enumerate(managers)])


def drain(managers, n, *args, slots=4):
    """fr-worker --drain, one for each manager: jobs a second of whole
    processes."""
    return n / seconds_all(
        [([f"{BIN}/fr-worker", "-c", str(slots), "--drain", *args],
          {"env": m.env, "stderr": subprocess.DEVNULL}) for m in managers])


def fill(m, n, *args):
    return bench(m, "-c", 4, "-b", 1000, "-n", n, *args, "submit")
