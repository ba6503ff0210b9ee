# SPDX-License-Identifier: MIT
"""A command for each job."""
from ..load import drain, fill, handlers
from ..measure import Figure, Peer, at_least, figures
from ..servers import BIN, TOOLS, Manager, out, program, seconds


@figures("command")
def command(b):
    n = 1000 if b.quick else 3000
    handler = f"{TOOLS}/handler"

    def ours():
        with Manager(b) as m:
            fill(m, n, "--type", "spawned")
            return drain([m], n, "-H", handlers(b), slots=2)

    def spawn():
        return float(out(f"{TOOLS}/spawn", n, 2, handler))

    def parallel(n):
        def run():
            return n / seconds(
                [program("parallel"), "--will-cite", "-j2", handler,
                 "</dev/null #"],
                input="".join("%d\n" % i for i in range(n)), text=True)
        return run

    yield Figure("a command for each job, 2 at a time", ours, [
        Peer("bare posix_spawn loop", spawn),
        Peer("GNU parallel -j2", parallel(300)),
    ], floors=[at_least(0.85, "bare posix_spawn"),
               at_least(6, "GNU parallel")])

    many = 2000 if b.quick else 10000
    jobs = "".join('{"type":"bench","data":{"n":%d}}\n' % i
                   for i in range(many))

    def run():
        return many / seconds(
            [f"{BIN}/fr-run", "-c", "2", f"bench=exec {handler}"],
            input=jobs, text=True)

    def xargs():
        return many / seconds(
            [program("xargs"), "-P2", "-n1", "sh", "-c",
             f"exec {handler} </dev/null"],
            input="".join("%d\n" % i for i in range(many)), text=True)

    yield Figure(f"fr-run of {many:,} commands for sh -c, 2 at a time", run, [
        Peer("xargs -P2 -n1 sh -c", xargs),
        Peer("GNU parallel -j2", parallel(300)),
    ], floors=[at_least(0.9, "xargs"), at_least(6, "GNU parallel")])
