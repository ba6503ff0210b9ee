# SPDX-License-Identifier: MIT
"""Durable submits: one by one, and in bulk."""
from .. import peers
from ..load import bench, lines, submit_bulk
from ..measure import BEST, Figure, Peer, at_least, figures
from ..servers import Manager


def ours(b, conns, n):
    def run():
        with Manager(b) as m:
            return bench(m, "-c", conns, "-n", n, "submit")["submit"]
    return run


@figures("submit")
def submit(b):
    f0 = "beanstalkd -f0"
    yield Figure("durable submits, 1 connection", ours(b, 1, 3000),
                 peers.submit(b, 1), floors=[at_least(0.6, f0)])
    yield Figure("durable submits, 8 connections", ours(b, 8, 20000),
                 peers.submit(b, 8), floors=[at_least(2.5, f0)])
    yield Figure("durable submits, 64 connections", ours(b, 64, 60000), [
        *(Peer(f"{f0}, {n} at once",
               peers.beanstalkd(b, "submit", 4000, n, 1)) for n in (1, 8)),
        *peers.submit(b, 64)], floors=[at_least(8, f0)])


@figures("bulk")
def bulk(b):
    n = 200000 if b.quick else 1000000

    def run():
        with Manager(b) as m:
            return submit_bulk([m], lines(b, n), n)

    yield Figure(f"fr-submit --bulk of {n:,} lines, the whole process", run,
                 peers.bulk(b), floors=[at_least(150000), at_least(2.5, BEST)])
