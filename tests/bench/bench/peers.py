# SPDX-License-Identifier: MIT
"""The peers: their servers, and the load put on them, each at the best of
the settings that its manual has and that were tried (README.md)."""
import json
import os
import shutil
import subprocess
from pathlib import Path

from .measure import Missing, Peer
from .servers import (BUILD, TOOLS, Postgres, Redis, Server, free_port, out,
                      program)

NODE = Path(__file__).resolve().parent.parent / "node"
INSTALLED = Path(BUILD) / "bench" / "node"
DURABLE_REDIS = "always"


def numbers(text):
    v = [float(x) for x in text.split()]
    return v if len(v) > 1 else v[0]


def apart(server):
    """For a server with one thread that never waits for the disk: a processor
    for it, and another one for its clients, which is a sixth faster here than
    leaving it to the kernel. Returns what to put before the client."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2 or not shutil.which("taskset"):
        return []
    os.sched_setaffinity(server.proc.pid, cpus[:1])
    return ["taskset", "-c", ",".join(map(str, cpus[1:]))]


class Beanstalkd(Server):
    """log: with its log, and -f0, an fsync before each answer."""

    def __init__(self, b, log=True):
        program("beanstalkd")
        super().__init__(b)
        self.port = free_port()
        self.launch(["beanstalkd", "-l", "127.0.0.1", "-p", str(self.port),
                     *(["-b", self.dir, "-f0"] if log else [])])
        self.until(lambda: self.listens(self.port), "beanstalkd")
        # With -f0 it is a quarter slower apart.
        self.client = [*([] if log else apart(self)), f"{TOOLS}/beanstalkd"]

    def load(self, *args):
        return numbers(out(*self.client, self.port, *args))


class Gearmand(Server):
    """durable: with its queue in SQLite."""

    def __init__(self, b, durable=True):
        program("gearmand")
        super().__init__(b)
        self.port = free_port()
        # As root it wants to be told who it is.
        user = ["-u", "root"] if os.geteuid() == 0 else []
        kept = ["-q", "libsqlite3", f"--libsqlite3-db={self.dir}/db"]
        self.launch(["gearmand", *user, "-L", "127.0.0.1", "-p",
                     str(self.port), "-l", f"{self.dir}/gearmand.log", "-P",
                     f"{self.dir}/pid", *(kept if durable else [])])
        self.until(lambda: self.listens(self.port), "gearmand")

    def load(self, *args):
        return numbers(out(f"{TOOLS}/gearman", self.port, *args))


def beanstalkd(b, *args, log=True, before=()):
    """A measurement on a server of its own."""
    def run():
        with Beanstalkd(b, log) as s:
            if before:
                s.load(*before)
            return s.load(*args)
    return run


def gearmand(b, *args, durable=True, before=()):
    def run():
        with Gearmand(b, durable) as s:
            if before:
                s.load(*before)
            return s.load(*args)
    return run


# ---- from npm ---------------------------------------------------------

def modules():
    """The directory of the peers' modules, installed if need be."""
    for name in ("node", "npm"):
        program(name)
    want = (NODE / "package.json").read_text(encoding="utf-8")
    have = INSTALLED / "package.json"
    if not (have.exists() and have.read_text(encoding="utf-8") == want):
        shutil.rmtree(INSTALLED, ignore_errors=True)
        INSTALLED.mkdir(parents=True)
        (INSTALLED / "new.json").write_text(want, encoding="utf-8")
        os.rename(INSTALLED / "new.json", have)
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
             "--ignore-scripts", "--loglevel=error"], cwd=INSTALLED,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(INSTALLED, ignore_errors=True)
            raise Missing(f"npm install: {done.stderr.strip()[-200:]}")
    return INSTALLED / "node_modules"


def npm_versions():
    """What is installed; nothing if it is not."""
    try:
        names = json.loads((INSTALLED / "package.json").read_text("utf-8"))
        return ", ".join(
            [f"node {out('node', '--version').strip()}"] +
            [f"{n} " + json.loads((INSTALLED / "node_modules" / n /
                                   "package.json").read_text("utf-8"))
             ["version"] for n in names["dependencies"]])
    except FileNotFoundError:
        return ""


def npm(b, name, *args):
    """A measurement of a peer from npm on a server of its own."""
    def run():
        env = dict(os.environ, NODE_PATH=str(modules()))
        on_redis = name in ("bullmq", "bee-queue")
        with Redis(b, DURABLE_REDIS) if on_redis else Postgres(b) as s:
            return numbers(out(
                "node", NODE / "main.js", name,
                s.socket if on_redis else s.url, *args, env=env))
    return run


# ---- each peer's best setting for a kind of load ------------------------

def _those(words, every):
    """With words only the peers whose names begin with one of them."""
    return [p for p in every if p.name.startswith(words or ("",))]


def bulk(b, *words):
    n = 10000 if b.quick else 50000
    return _those(words, [
        Peer("pg-boss, 2 x 5,000",
             npm(b, "pg-boss", "submit", n, 2, 5000)),
        Peer("graphile-worker, 4 x 1,000",
             npm(b, "graphile-worker", "submit", n, 4, 1000)),
        Peer("bee-queue, AOF always, 4 x 1,000",
             npm(b, "bee-queue", "submit", n, 4, 1000)),
        Peer("BullMQ, AOF always, 4 x 1,000",
             npm(b, "bullmq", "submit", n, 4, 1000)),
        Peer("beanstalkd -f0, 8 x 100",
             beanstalkd(b, "submit", 10000, 8, 100)),
        Peer("gearmand libsqlite3, 1 x 500",
             gearmand(b, "submit", 2000, 1, 500)),
    ])


def drain(b, *words):
    n = 10000 if b.quick else 50000
    return _those(words, [
        Peer("graphile-worker, batched, 5,000",
             npm(b, "graphile-worker", "drain", n, 50, 5000)),
        Peer("graphile-worker, batched, 500",
             npm(b, "graphile-worker", "drain", n, 24, 500)),
        Peer("pg-boss, 5,000",
             npm(b, "pg-boss", "drain", n, 1, 5000)),
        Peer("bee-queue, AOF always, 100",
             npm(b, "bee-queue", "drain", n, 100, 1)),
        Peer("BullMQ, AOF always, 100",
             npm(b, "bullmq", "drain", n, 100, 1)),
        Peer("beanstalkd -f0, 8 connections",
             beanstalkd(b, "drain", 4000, 8, 1,
                        before=("submit", 4000, 1, 1000))),
        Peer("gearmand libsqlite3, 8 workers",
             gearmand(b, "drain", 2000, 8, 1,
                      before=("submit", 2000, 1, 500))),
    ])


def submit(b, at_once, *words):
    """One by one, so many callers at once."""
    n = 500 if b.quick else 2000
    k = 1 if at_once == 1 else 10
    return _those(words, [
        Peer("beanstalkd -f0",
             beanstalkd(b, "submit", 4000, at_once, 1)),
        Peer("bee-queue, AOF always",
             npm(b, "bee-queue", "submit", n * k, at_once, 1)),
        Peer("BullMQ, AOF always",
             npm(b, "bullmq", "submit", n * k, at_once, 1)),
        Peer("pg-boss", npm(b, "pg-boss", "submit", n, at_once, 1)),
        Peer("graphile-worker",
             npm(b, "graphile-worker", "submit", n, at_once, 1)),
        Peer("gearmand libsqlite3",
             gearmand(b, "submit", 2000, at_once, 1)),
    ])


def both(b, *words):
    n = 1000 if b.quick else 4000
    return _those(words, [
        Peer("beanstalkd -f0", beanstalkd(b, "both", 4000, 4, 4, 1)),
        Peer("bee-queue, AOF always", npm(b, "bee-queue", "both", n, 4, 4)),
        Peer("BullMQ, AOF always", npm(b, "bullmq", "both", n, 4, 4)),
        Peer("graphile-worker", npm(b, "graphile-worker", "both", n, 4, 4)),
        Peer("pg-boss", npm(b, "pg-boss", "both", n, 4, 4)),
        Peer("gearmand libsqlite3", gearmand(b, "both", 2000, 4, 4, 1)),
    ])


def latency(b, *words):
    return _those(words, [
        Peer("beanstalkd -f0", beanstalkd(b, "latency", 1000)),
        Peer("bee-queue, AOF always", npm(b, "bee-queue", "latency", 300)),
        Peer("BullMQ, AOF always", npm(b, "bullmq", "latency", 300)),
        Peer("gearmand libsqlite3", gearmand(b, "latency", 300)),
        Peer("graphile-worker", npm(b, "graphile-worker", "latency", 300)),
    ])
