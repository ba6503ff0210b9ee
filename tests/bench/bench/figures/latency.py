# SPDX-License-Identifier: MIT
"""How soon an idle worker has a job, from its durable submit on."""
from ..load import bench
from ..measure import Figure, Part, Peer, at_most, figures
from ..peers import beanstalkd
from ..servers import Manager


@figures("latency")
def latency(b):
    def ours():
        with Manager(b) as m:
            v = bench(m, "-n", 500, "latency")
            return [v[f"start after {what}, {p}"] * 1000
                    for what in ("submit", "durable") for p in ("p50", "p99")]

    f0 = "beanstalkd -f0"
    floor = [at_most(1, f0)]
    yield Figure("an idle worker starts", ours, [
        Peer(f0, beanstalkd(b, "latency", 500)),
    ], parts=[Part("from the submit, p50", "us", floor, True),
              Part("from the submit, p99", "us", floor, True),
              Part("from the answer, p50", "us", [], True),
              Part("from the answer, p99", "us", [], True)])
