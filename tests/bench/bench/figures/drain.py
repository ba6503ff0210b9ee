# SPDX-License-Identifier: MIT
"""Jobs taken and finished."""
from .. import peers
from ..load import drain as drained
from ..load import fill, handlers
from ..measure import BEST, Figure, at_least, figures
from ..servers import Manager


@figures("drain")
def drain(b):
    n = 100000 if b.quick else 400000

    def run():
        with Manager(b) as m:
            fill(m, n)
            return drained([m], n, "-H", handlers(b))

    yield Figure("durable drain, C .lines handler, all of fr-worker", run,
                 peers.drain(b), floors=[at_least(60000), at_least(1.5, BEST)])
