# SPDX-License-Identifier: MIT
"""Submitted, taken and finished at once."""
from .. import peers
from ..load import bench
from ..measure import Figure, Peer, at_least, figures
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

    def without_a_log(window):
        return Peer(mem, peers.beanstalkd(b, "both", 40000, 4, 4, window,
                                          log=False), durable=False)

    yield Figure("both at once, 4 submit one by one, 4 work", ours(20000, 1), [
        *peers.both(b), without_a_log(1),
        Peer("gearmand in memory", peers.gearmand(
            b, "both", 20000, 4, 4, 1, durable=False), durable=False),
    ], floors=floors)
    yield Figure("the same, each worker has up to 64", ours(40000, 64), [
        Peer(f0, peers.beanstalkd(b, "both", 4000, 4, 4, 64)),
        without_a_log(64)], floors=floors)
