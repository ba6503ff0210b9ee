# SPDX-License-Identifier: MIT
"""Submitted, taken and finished at once."""
from ..load import bench
from ..measure import Figure, Peer, at_least, figures
from ..peers import beanstalkd
from ..servers import Manager


@figures("both")
def both(b):
    def ours(n, slots):
        def run():
            with Manager(b) as m:
                return bench(m, "-c", 4, "-w", 4, "--slots", slots, "-n", n,
                             "both")["both"]
        return run

    f0, mem = "beanstalkd -f0", "beanstalkd without a log"
    floors = [at_least(5, f0), at_least(1, mem)]

    def peers():
        return [Peer(f0, beanstalkd(b, "both", 2000, 4, 4)),
                Peer(mem, beanstalkd(b, "both", 40000, 4, 4, log=False),
                     durable=False)]

    yield Figure("both at once, 4 submit one by one, 4 work",
                 ours(20000, 1), peers(), floors=floors)
    yield Figure("the same, each worker has up to 64",
                 ours(40000, 64), peers(), floors=floors)
