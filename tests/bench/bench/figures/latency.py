# SPDX-License-Identifier: MIT
"""How soon an idle worker has a job, from its durable submit on."""
from .. import peers
from ..load import bench
from ..measure import Figure, Part, at_most, figures
from ..servers import Manager


def started(m):
    v = bench(m, "-n", 1000, "latency")
    return [v[f"start after {what}, {p}"] * 1000
            for what in ("submit", "durable") for p in ("p50", "p99")]


def parts(floors):
    return [Part(f"{p} from the {what}", "us",
                 floors if what == "submit" else [], True)
            for what in ("submit", "answer") for p in ("p50", "p99")]


@figures("latency")
def latency(b):
    def ours():
        with Manager(b) as m:
            return started(m)

    yield Figure("an idle worker starts", ours, peers.latency(b),
                 parts=parts([at_most(1, "beanstalkd -f0")]))
