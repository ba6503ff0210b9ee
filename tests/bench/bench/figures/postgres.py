# SPDX-License-Identifier: MIT
"""On a Postgres store, one manager; and three with a Redis queue. Beside
those that keep their jobs in Postgres, too."""
import contextlib

from .. import peers
from ..load import bench, drain, fill, handlers, lines, submit_bulk
from ..measure import Figure, at_least, figures
from ..servers import Manager, Postgres, Redis
from .latency import parts, started

ON_POSTGRES = "pg-boss", "graphile-worker"


@contextlib.contextmanager
def managers(b, n, redis):
    """So many managers on one new store, and with redis on one queue."""
    with contextlib.ExitStack() as stack:
        pg = stack.enter_context(Postgres(b))
        queue = []
        if redis:
            queue = ["--queue", stack.enter_context(Redis(b, "no")).url]
        yield [stack.enter_context(Manager(b, *queue, store=pg.url))
               for _ in range(n)]


def bulk(b, n, redis):
    jobs = 60000 if b.quick else 300000

    def run():
        with managers(b, n, redis) as ms:
            return submit_bulk(ms, lines(b, jobs), jobs)
    return run


def drained(b, n, redis, workers=1):
    """Each manager has so many workers."""
    jobs = 30000 if b.quick else 150000

    def run():
        with managers(b, n, redis) as ms:
            fill(ms[0], jobs)
            return drain(ms * workers, jobs, "-H", handlers(b))
    return run


def backends(b, word, n, redis):
    yield Figure(f"{word}: fr-submit --bulk, the whole process",
                 bulk(b, n, redis), peers.bulk(b, *ON_POSTGRES),
                 floors=[at_least(1, w) for w in ON_POSTGRES])
    yield Figure(f"{word}: drain, C .lines handler, all of fr-worker",
                 drained(b, n, redis), peers.drain(b, *ON_POSTGRES),
                 floors=[at_least(2, "graphile-worker, batched, 500"),
                         at_least(2, "graphile-worker")])


@figures("postgres")
def postgres(b):
    yield from backends(b, "Postgres", 1, False)
    yield Figure("Postgres: drain, three workers of one manager",
                 drained(b, 1, False, 3), peers.drain(b, *ON_POSTGRES),
                 floors=[at_least(2, "graphile-worker, batched, 500"),
                         at_least(2, "graphile-worker")])

    def one(args, name):
        def run():
            with managers(b, 1, False) as ms:
                return bench(ms[0], *args)[name]
        return run

    for at_once in (1, 64):
        yield Figure(
            f"Postgres: submits, {at_once} at once",
            one(("-c", at_once, "-n", 1000 * at_once, "submit"), "submit"),
            peers.submit(b, at_once, *ON_POSTGRES))
    yield Figure("Postgres: both at once, 4 submit one by one, 4 work",
                 one(("-c", 4, "-w", 4, "-n", 8000, "both"), "both"),
                 peers.both(b, *ON_POSTGRES))

    def ours():
        with managers(b, 1, False) as ms:
            return started(ms[0])

    yield Figure("Postgres: an idle worker starts", ours,
                 peers.latency(b, *ON_POSTGRES), parts=parts([]))


@figures("redis")
def redis(b):
    yield from backends(b, "Postgres store, Redis queue, 1 manager", 1, True)
    yield from backends(b, "Postgres store, Redis queue, 3 managers", 3, True)
