# SPDX-License-Identifier: MIT
"""An interpreter that is kept, against one that is started."""
import os

from ..load import drain, fill
from ..measure import Figure, Peer, at_least, figures
from ..servers import Manager

KEPT = """#!/usr/bin/python3 -IS
import sys
for line in sys.stdin:
    sys.stdout.write('{"result":1}\\n')
    sys.stdout.flush()
"""
SPAWNED = """#!/usr/bin/python3 -IS
import sys
sys.stdin.read()
print('1')
"""


@figures("python")
def python(b):
    d = f"{b.dir}/python"

    def ours(kind, n):
        def run():
            os.makedirs(d, exist_ok=True)
            for name, text in (("bench.lines", KEPT), ("spawned", SPAWNED)):
                with open(f"{d}/{name}", "w", encoding="ascii") as f:
                    f.write(text)
                os.chmod(f"{d}/{name}", 0o755)
            with Manager(b) as m:
                fill(m, n, "--type", kind)
                return drain([m], n, "-H", d, slots=2)
        return run

    yield Figure("a Python .lines handler, end to end",
                 ours("bench", 50000),
                 [Peer("the same, started for each job",
                       ours("spawned", 200))],
                 floors=[at_least(150, "the same")])
