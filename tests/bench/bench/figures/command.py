# SPDX-License-Identifier: MIT
"""A command for each job."""
import os
import subprocess
import tempfile

from ..load import drain, fill, handlers
from ..measure import Figure, Peer, at_least, figures
from ..peers import Gearmand
from ..servers import BIN, TOOLS, Manager, out, program, seconds, seconds_all

HANDLER = f"{TOOLS}/handler"


def numbered(n):
    return "".join("%d\n" % i for i in range(n))


def parallel(n):
    def run():
        return n / seconds(
            [program("parallel"), "--will-cite", "-j2", HANDLER,
             "</dev/null #"], input=numbered(n), text=True)
    return Peer("GNU parallel -j2", run)


def spooler(b, n):
    """Each job is given to its server, which keeps 10 ended ones."""
    def run():
        program("tsp")
        with tempfile.TemporaryDirectory(dir=b.dir) as d:
            env = dict(os.environ, TS_SOCKET=f"{d}/s", TMPDIR=d,
                       TS_MAXFINISHED="10")
            try:
                out("tsp", "-S", 2, env=env)
                return n / seconds(
                    ["sh", "-c", 'while read -r _; do tsp -n "$0"; done'
                     '; tsp -w', HANDLER], env=env, input=numbered(n),
                    text=True)
            finally:
                subprocess.run(["tsp", "-K"], env=env, check=False)
    return Peer("task-spooler -S 2", run)


def gearman(b, n):
    """Its own worker, which runs a command for each job; in memory."""
    def run():
        with Gearmand(b, durable=False) as s:
            s.load("submit", n, 1, 500)
            one = [program("gearman"), "-h", "127.0.0.1", "-p", str(s.port),
                   "-w", "-c", str(n // 2), "-f", "bench", "--", HANDLER]
            return n / seconds_all([(one, {})] * 2,
                                   stderr=subprocess.DEVNULL)
    return Peer("gearman -w, 2 of them", run)


def xargs(n, *command):
    def run():
        return n / seconds([program("xargs"), "-P2", "-n1", *command],
                           input=numbered(n), text=True)
    return run


@figures("command")
def command(b):
    n = 1000 if b.quick else 3000

    def worked():
        with Manager(b) as m:
            fill(m, n, "--type", "spawned")
            return drain([m], n, "-H", handlers(b), slots=2)

    def spawn():
        return float(out(f"{TOOLS}/spawn", n, 2, HANDLER))

    yield Figure("a command for each job, 2 at a time", worked, [
        Peer("bare posix_spawn loop", spawn), gearman(b, n),
        spooler(b, 500), parallel(300),
    ], floors=[at_least(0.85, "bare posix_spawn"),
               at_least(6, "GNU parallel")])

    many = 2000 if b.quick else 10000

    def run(kind, *args):
        jobs = "".join('{"type":"%s","data":{"n":%d}}\n' % (kind, i)
                       for i in range(many))

        def timed():
            handlers(b)
            return many / seconds([f"{BIN}/fr-run", "-c", "2", *args],
                                  input=jobs, text=True)
        return timed

    yield Figure(f"fr-run of {many:,} commands, 2 at a time",
                 run("spawned", "-H", f"{b.dir}/handlers"), [
                     Peer("xargs -P2 -n1", xargs(many, HANDLER)),
                     parallel(300)],
                 floors=[at_least(0.9, "xargs"), at_least(6, "GNU parallel")])
    yield Figure(f"fr-run of {many:,} commands by sh -c, 2 at a time",
                 run("bench", f"bench=exec {HANDLER}"), [
                     Peer("xargs -P2 -n1 sh -c", xargs(
                         many, "sh", "-c", f"exec {HANDLER} </dev/null"))],
                 floors=[at_least(0.9, "xargs")])
