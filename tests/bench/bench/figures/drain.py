# SPDX-License-Identifier: MIT
"""Jobs taken and finished."""
from ..load import drain as ours_drain
from ..load import fill, handlers
from ..measure import BEST, Figure, Peer, at_least, figures
from ..peers import beanstalkd
from ..servers import Manager


@figures("drain")
def drain(b):
    n = 100000 if b.quick else 400000

    def run():
        with Manager(b) as m:
            fill(m, n)
            return ours_drain([m], n, "-H", handlers(b))

    yield Figure("durable drain, C .lines handler, all of fr-worker", run, [
        Peer("beanstalkd -f0, 8 connections, no handler",
             beanstalkd(b, "drain", 4000, 8,
                        before=("submit", 4000, 1, 1000))),
    ], floors=[at_least(60000), at_least(1.5, BEST)])
