#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make bench: every figure of Forerunner beside its peers', in one run.

Each figure is measured in rounds, ours and the peer's in turn, so that what
else the machine does hits both; what is printed is the median, the spread,
and the ratio to what is to be reached. Times and rates on a shared machine
say little alone; the ratios are what counts.

run.py [--rounds N] [--quick] [--only WORD[,WORD...]] [--dir DIR]
"""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("FR_BUILD", "build")
BIN = os.path.join(BUILD, "bin")
BENCH = os.path.join(BUILD, "tests", "bench")
rows = []


def out(*argv, **kw):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True,
                          **kw).stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process on a scratch directory, stopped and removed at the end."""

    def __init__(self, parent):
        self.dir = tempfile.mkdtemp(dir=parent)
        self.proc = None

    def rss_kib(self):
        with open(f"/proc/{self.proc.pid}/status") as f:
            for line in f:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])

    def cpu_ticks(self):
        with open(f"/proc/{self.proc.pid}/stat") as f:
            v = f.read().rsplit(")", 1)[1].split()
            return int(v[11]) + int(v[12])

    def stop(self, sig=signal.SIGTERM):
        if self.proc:
            self.proc.send_signal(sig)
            self.proc.wait()
            self.proc = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Manager(Server):
    def __init__(self, parent, *args):
        super().__init__(parent)
        self.args = args
        self.start()

    def start(self):
        r, w = os.pipe()
        self.proc = subprocess.Popen(
            [f"{BIN}/fr-manager", "-l", "127.0.0.1:0", "--store",
             f"sqlite:{self.dir}/db", "--ready-fd", str(w), *self.args],
            pass_fds=[w], stderr=open(f"{self.dir}/log", "a"))
        os.close(w)
        with os.fdopen(r) as f:
            self.url = f.readline().strip()
        self.env = dict(os.environ, FR_MANAGER=self.url)

    def bench(self, *args):
        return json.loads(out(f"{BIN}/fr-bench", "--json", *map(str, args),
                              env=self.env))


class Beanstalkd(Server):
    def __init__(self, parent, log=True):
        super().__init__(parent)
        self.port = free_port()
        args = ["-b", self.dir, "-f0"] if log else []
        self.proc = subprocess.Popen(
            ["beanstalkd", "-l", "127.0.0.1", "-p", str(self.port), *args])
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.02)
        sys.exit("beanstalkd does not start")

    def load(self, *args):
        return [float(x) for x in out(f"{BENCH}/beanstalkd", str(self.port),
                                      *map(str, args)).split()]


def timed(argv, env=None, stdin=None, **kw):
    t = time.monotonic()
    subprocess.run(argv, check=True, env=env, stdin=stdin,
                   stdout=subprocess.DEVNULL, **kw)
    return time.monotonic() - t


def spread(v):
    return f"{min(v):,.4g}..{max(v):,.4g}"


def figure(name, unit, ours, peer, want, peer_name, least=True):
    """ours and peer: one value each, in turn, rounds times. want: the ratio
    to be reached (least) or not to be passed."""
    a, b = [], []
    for _ in range(opt.rounds):
        a.append(ours())
        if peer:
            b.append(peer())
    m = statistics.median(a)
    p = statistics.median(b) if b else None
    ratio = m / p if p else None
    ok = ""
    if ratio is not None and want is not None:
        ok = "yes" if (ratio >= want if least else ratio <= want) else "NO"
    rows.append((name, unit, m, spread(a), peer_name, p,
                 spread(b) if b else "", ratio, want, ok))
    print(f"{name:44} {m:12,.4g} {unit:7} {peer_name:26}"
          f" {p if p is None else format(p, ',.4g')!s:>10}"
          f"  ratio {'-' if ratio is None else format(ratio, '.3g'):>6}"
          f" {'>=' if least else '<='} {want} {ok}", flush=True)


def value(name, unit, v, want=None, least=False):
    ok = "" if want is None else "yes" if (v >= want if least else v <= want) else "NO"
    rows.append((name, unit, v, "", "", None, "", None, want, ok))
    print(f"{name:44} {v:12,.4g} {unit:7} "
          f"{'' if want is None else ('>=' if least else '<=') + ' ' + str(want)} {ok}",
          flush=True)


def wanted(word):
    return not opt.only or word in opt.only


def submits():
    def ours(conns, n):
        def f():
            with Manager(opt.dir) as m:
                return m.bench("-c", conns, "-n", n, "submit")["submit"]
        return f

    def peer(conns, n):
        def f():
            with Beanstalkd(opt.dir) as b:
                return b.load("submit", n, conns, 1)[0]
        return f

    figure("durable submits, 1 connection", "jobs/s", ours(1, 3000),
           peer(1, 3000), 0.6, "beanstalkd -f0")
    figure("durable submits, 8 connections", "jobs/s", ours(8, 20000),
           peer(8, 3000), 2.5, "beanstalkd -f0")
    figure("durable submits, 64 connections", "jobs/s", ours(64, 60000),
           lambda: max(peer(1, 3000)(), peer(8, 3000)()), 8,
           "beanstalkd -f0 at its best")


def bulk():
    n = 200000 if opt.quick else 1000000
    path = f"{opt.dir}/lines"
    with open(path, "w") as f:
        for i in range(n):
            f.write('{"n":%d,"user":"someone@example.com",'
                    '"note":"hello job queue world 123"}\n' % i)

    def ours():
        with Manager(opt.dir) as m, open(path) as f:
            return n / timed([f"{BIN}/fr-submit", "--bulk", "bench"],
                             env=m.env, stdin=f)

    def peer():
        with Beanstalkd(opt.dir) as b:
            return b.load("submit", 20000, 1, 1000)[0]

    figure(f"fr-submit --bulk, {n:,} lines", "jobs/s", ours, peer, 2.5,
           "beanstalkd -f0, pipelined")
    os.unlink(path)


def drain():
    n = 100000 if opt.quick else 400000
    handlers = f"{opt.dir}/H"
    os.makedirs(handlers, exist_ok=True)
    shutil.copy(f"{BENCH}/handler", f"{handlers}/bench.lines")

    def ours():
        with Manager(opt.dir) as m:
            m.bench("-c", 4, "-b", 1000, "-n", n, "submit")
            return n / timed([f"{BIN}/fr-worker", "-c", "4", "-H", handlers,
                              "--drain"], env=m.env,
                             stderr=subprocess.DEVNULL)

    def peer():
        with Beanstalkd(opt.dir) as b:
            b.load("submit", 4000, 1, 1000)
            return b.load("drain", 4000, 8)[0]

    figure("durable drain, C .lines handler, fr-worker", "jobs/s", ours, peer,
           1.5, "beanstalkd -f0, no handler")


def both():
    def ours():
        with Manager(opt.dir) as m:
            return m.bench("-c", 4, "-w", 4, "-n", 20000, "both")["both"]

    def peer(log, n):
        def f():
            with Beanstalkd(opt.dir, log) as b:
                return b.load("both", n, 4, 4)[0]
        return f

    figure("both at once, 4 submit, 4 work one by one", "jobs/s", ours,
           peer(True, 2000), 5, "beanstalkd -f0")

    def many():
        with Manager(opt.dir) as m:
            return m.bench("-c", 4, "-w", 4, "--slots", 64, "-n", 40000,
                           "both")["both"]

    figure("both at once, workers take 64 at a time", "jobs/s", many,
           peer(False, 40000), 1, "beanstalkd without a log")


def commands():
    n = 1000 if opt.quick else 3000
    h = f"{BENCH}/handler"

    def ours():
        with Manager(opt.dir) as m:
            m.bench("-b", 1000, "-n", n, "submit")
            return n / timed([f"{BIN}/fr-worker", "-c", "2", "--drain",
                              f"bench=exec {h}"], env=m.env,
                             stderr=subprocess.DEVNULL)

    def ours_file():
        d = f"{opt.dir}/HC"
        os.makedirs(d, exist_ok=True)
        shutil.copy(h, f"{d}/bench")
        with Manager(opt.dir) as m:
            m.bench("-b", 1000, "-n", n, "submit")
            return n / timed([f"{BIN}/fr-worker", "-c", "2", "--drain",
                              "-H", d], env=m.env,
                             stderr=subprocess.DEVNULL)

    def floor():
        return float(out(f"{BENCH}/spawn", str(n), "2", h))

    def parallel():
        return 300 / timed(["parallel", "-j2", h, "</dev/null #"],
                           input="".join("%d\n" % i for i in range(300)),
                           text=True)

    figure("a command for each job, 2 at a time", "jobs/s", ours_file, floor,
           0.85, "bare posix_spawn loop")
    if shutil.which("parallel"):
        figure("the same", "jobs/s", ours_file, parallel, 6, "GNU parallel")

    jobs = "".join('{"type":"bench","data":{"n":%d}}\n' % i for i in range(n))

    def run():
        return n / timed([f"{BIN}/fr-run", "-c", "2", f"bench=exec {h}"],
                         input=jobs, text=True)

    def xargs():
        return n / timed(["xargs", "-P2", "-n1", "sh", "-c",
                          f"exec {h} </dev/null"],
                         input="".join("%d\n" % i for i in range(n)),
                         text=True)

    figure(f"fr-run of {n:,} sh -c commands", "jobs/s", run, xargs, 0.9,
           "xargs -P2 sh -c")


def python():
    d = f"{opt.dir}/HP"
    os.makedirs(d, exist_ok=True)
    with open(f"{d}/bench.lines", "w") as f:
        f.write("#!/usr/bin/python3 -IS\nimport sys\nfor line in sys.stdin:\n"
                "    sys.stdout.write('{\"result\":1}\\n')\n"
                "    sys.stdout.flush()\n")
    with open(f"{d}/spawned", "w") as f:
        f.write("#!/usr/bin/python3 -IS\nimport sys\nsys.stdin.read()\n"
                "print('1')\n")
    for name in os.listdir(d):
        os.chmod(f"{d}/{name}", 0o755)

    def ours(kind, n):
        def f():
            with Manager(opt.dir) as m:
                m.bench("-b", 1000, "-n", n, "--type", kind, "submit")
                return n / timed([f"{BIN}/fr-worker", "-c", "2", "-H", d,
                                  "--drain"], env=m.env,
                                 stderr=subprocess.DEVNULL)
        return f

    figure("a Python .lines handler, end to end", "jobs/s",
           ours("bench", 50000), ours("spawned", 200), 150, "the same spawned")


def latency():
    a, b = [], []
    for _ in range(opt.rounds):
        with Manager(opt.dir) as m:
            a.append(m.bench("-n", 500, "latency"))
        with Beanstalkd(opt.dir) as p:
            b.append(p.load("latency", 500))
    for at, q in ((0, "p50"), (1, "p99")):
        v = [x[f"start after durable, {q}"] * 1000 for x in a]
        w = [x[at] for x in b]
        m, p = statistics.median(v), statistics.median(w)
        rows.append((f"an idle worker starts after durable, {q}", "us", m,
                     spread(v), "beanstalkd -f0, after put", p, spread(w),
                     m / p, 1, "yes" if m <= p else "NO"))
        print(f"an idle worker starts after durable, {q:18} {m:8,.0f} us  "
              f"   beanstalkd -f0 {p:8,.0f} us  ratio {m / p:.3g} <= 1",
              flush=True)


def backlog():
    n = 300000 if opt.quick else opt.backlog
    with Manager(opt.dir) as m:
        r = m.bench("-c", 8, "-w", 4, "--slots", 256, "-n", n, "backlog")
        value(f"submit rate with {n:,} waiting / empty", "", r["submit, ratio"],
              0.9, True)
        value(f"drain rate with {n:,} waiting / empty", "", r["drain, ratio"],
              0.9, True)
        with Manager(opt.dir) as empty:
            base = empty.rss_kib()
        value("the manager's memory per waiting job", "bytes",
              (m.rss_kib() - base) * 1024 / n, 64)
        m.stop(signal.SIGKILL)
        t = time.monotonic()
        m.start()
        value(f"ready after a kill, {n:,} waiting", "s", time.monotonic() - t, 1)
        out(f"{BIN}/fr-bench", "-m", m.url, "-n", "1", "--slots", "1", "drain")
        value("and the first job is out", "s", time.monotonic() - t, 1)
        while json.loads(out("curl", "-s", f"{m.url}/readyz"))["loading"]:
            time.sleep(0.05)
        value("and all are on offer", "s", time.monotonic() - t, 20)


def idle():
    n = 1000 if opt.quick else 10000
    with Manager(opt.dir) as m:
        r = m.bench("-w", n, "-n", 300, "idle")
        value(f"{n:,} idle workers: wake p99", "ms",
              r["start after durable, p99"], 50)
        load = subprocess.Popen([f"{BIN}/fr-bench", "-m", m.url, "-w", str(n),
                                 "-n", "1000000", "idle"],
                                stdout=subprocess.DEVNULL)
        time.sleep(3)
        value(f"{n:,} idle workers: memory of the manager", "MiB",
              m.rss_kib() / 1024, 100)
        load.send_signal(signal.SIGTERM)
        load.wait()


def main():
    global opt
    p = argparse.ArgumentParser(description="Forerunner beside its peers")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--only", type=lambda s: s.split(","), default=[])
    p.add_argument("--dir", default=f"{BUILD}/bench")
    p.add_argument("--backlog", type=int, default=2000000)
    opt = p.parse_args()
    opt.dir = os.path.abspath(opt.dir)
    os.makedirs(opt.dir, exist_ok=True)
    print(out("uname", "-srm").strip(), "|", os.cpu_count(), "cores |",
          out(f"{BIN}/fr-manager", "--version").strip(), "|",
          out("beanstalkd", "-v").strip(), "|",
          "load", os.getloadavg()[0], "| rounds", opt.rounds, flush=True)
    for f in (submits, bulk, drain, both, commands, python, latency, backlog,
              idle):
        if wanted(f.__name__):
            f()
    with open(f"{opt.dir}/table.md", "w") as t:
        t.write("| figure | ours | spread | peer | theirs | spread | ratio | "
                "to reach | reached |\n|---|---|---|---|---|---|---|---|---|\n")
        for r in rows:
            t.write("| %s | %s %s | %s | %s | %s | %s | %s | %s | %s |\n" % (
                r[0], format(r[2], ",.4g"), r[1], r[3], r[4],
                "" if r[5] is None else format(r[5], ",.4g"), r[6],
                "" if r[7] is None else format(r[7], ".3g"),
                "" if r[8] is None else r[8], r[9]))
    print(f"the table: {opt.dir}/table.md")


if __name__ == "__main__":
    main()
