# SPDX-License-Identifier: MIT
"""The peers: their servers, and the load put on them."""
from .servers import TOOLS, Server, free_port, out, program


class Beanstalkd(Server):
    """log: with its log, and -f0, an fsync before each answer."""

    def __init__(self, b, log=True):
        program("beanstalkd")
        super().__init__(b)
        self.port = free_port()
        self.launch(["beanstalkd", "-l", "127.0.0.1", "-p", str(self.port),
                     *(["-b", self.dir, "-f0"] if log else [])])
        self.until(lambda: self.listens(self.port), "beanstalkd")

    def load(self, *args):
        v = [float(x) for x in out(f"{TOOLS}/beanstalkd", self.port,
                                   *args).split()]
        return v if len(v) > 1 else v[0]


def beanstalkd(b, *args, log=True, before=()):
    """A measurement on a server of its own."""
    def run():
        with Beanstalkd(b, log) as s:
            if before:
                s.load(*before)
            return s.load(*args)
    return run
