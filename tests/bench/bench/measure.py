# SPDX-License-Identifier: MIT
"""What a figure is, and how it is measured.

A file in figures/ registers functions:

    @figures("drain")                       the word for --only
    def drain(b):
        yield Figure("durable drain", ours=lambda: rate(),
                     peers=[Peer("beanstalkd -f0", lambda: other())],
                     floors=[at_least(60000), at_least(1.5, BEST)])

Nothing is started before a figure is run: ours and each peer's are called in
turn, once in each round. Each returns a number, or with parts as many as
there are parts. What raises Missing is shown as not here.
"""
import json
import statistics
from dataclasses import dataclass, field

REGISTRY = []  # (word, function)
BEST = "the best durable peer"


class Missing(Exception):
    """A program or a library that is not on this machine."""


def figures(word):
    def add(f):
        REGISTRY.append((word, f))
        return f
    return add


@dataclass
class Floor:
    value: float
    of: str | None  # peers whose name begins so, BEST, or None: an absolute
    least: bool

    def __str__(self):
        sign = ">=" if self.least else "<="
        return f"{sign} {self.value:,g}" + (f" x {self.of}" if self.of else "")


def at_least(value, of=None):
    return Floor(value, of, True)


def at_most(value, of=None):
    return Floor(value, of, False)


@dataclass
class Part:
    """One of several numbers that one measurement gives."""
    name: str
    unit: str
    floors: list = field(default_factory=list)
    less: bool = False  # is better


@dataclass
class Peer:
    name: str
    run: object
    durable: bool = True


@dataclass
class Figure:
    name: str
    ours: object
    peers: list = field(default_factory=list)
    unit: str = "jobs/s"
    floors: list = field(default_factory=list)
    parts: list = field(default_factory=list)
    rounds: int | None = None  # at most so many


def number(v):
    return f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.3g}"


def spread(v):
    return f"{number(min(v))}-{number(max(v))}" if len(v) > 1 else ""


@dataclass
class Row:
    """What is printed and kept of one side of one part."""
    figure: str
    unit: str
    side: str
    median: float | None
    spread: str
    ratio: float | None = None  # ours / theirs
    verdicts: list = field(default_factory=list)  # (floor, what, reached)
    missing: str = ""


def turns(figure, rounds, note):
    """{side: [tuple of values, ...]}, and {side: why it is not here}"""
    sides = [("forerunner", figure.ours)]
    sides += [(p.name, p.run) for p in figure.peers]
    got, missing = {}, {}
    for r in range(min(rounds, figure.rounds or rounds)):
        for name, run in sides:
            if name in missing:
                continue
            note(f"{figure.name}: {name}, round {r + 1}")
            try:
                v = run()
            except Missing as e:
                missing[name] = str(e)
                continue
            v = tuple(v) if isinstance(v, (tuple, list)) else (v,)
            got.setdefault(name, []).append(v)
    return got, missing


def judged(floor, mine, theirs, durable, less):
    """(the ratio or the value, whether it is reached); None without a peer"""
    if floor.of is None:
        v = mine
    else:
        those = [m for n, m in theirs.items()
                 if (n in durable if floor.of == BEST
                     else n.startswith(floor.of))]
        if not those or mine is None:
            return None
        v = mine / (min(those) if less else max(those))
    return v, v >= floor.value if floor.least else v <= floor.value


def measured(figure, rounds, note):
    """The rows of a figure: for each part ours, then the peers'."""
    got, missing = turns(figure, rounds, note)
    parts = figure.parts or [Part("", figure.unit, figure.floors)]
    durable = {p.name for p in figure.peers if p.durable}
    rows = []
    for i, part in enumerate(parts):
        name = f"{figure.name}{', ' if part.name else ''}{part.name}"
        every = {s: [v[i] for v in vs] for s, vs in got.items()}
        mid = {s: statistics.median(v) for s, v in every.items()}
        mine = mid.pop("forerunner", None)
        ours = Row(name, part.unit, "forerunner", mine,
                   spread(every.get("forerunner", [0])),
                   missing=missing.get("forerunner", ""))
        for floor in part.floors:
            v = judged(floor, mine, mid, durable, part.less) if mine else None
            ours.verdicts.append((str(floor), v and v[0], bool(v and v[1])))
        rows.append(ours)
        for p in figure.peers:
            m = mid.get(p.name)
            rows.append(Row(
                name, part.unit, p.name, m, spread(every.get(p.name, [0])),
                ratio=mine / m if mine and m else None,
                missing=missing.get(p.name, "")))
    return rows


def verdict(floor, value, reached):
    said = "not measured" if value is None else number(value)
    return f"{floor}: {said}{'' if reached or value is None else ', NO'}"


def show(rows):
    """A figure as text: ours on its own line, then one for each peer."""
    for r in rows:
        if r.side == "forerunner":
            print(f"\n{r.figure}" + (f" [{r.unit}]" if r.unit else ""))
        value = f"not here: {r.missing}" if r.missing else number(r.median)
        ratio = f"  ours/theirs {number(r.ratio)}" if r.ratio else ""
        print(f"  {r.side:36} {value:>10}  {r.spread:>21}{ratio}".rstrip())
        for v in r.verdicts:
            print(f"    {verdict(*v)}")


def table(rows):
    """The same as a table in Markdown: a line for each figure."""
    out = ["| figure | ours | peers, and ours / theirs | to reach |",
           "| --- | --- | --- | --- |"]
    at = 0
    while at < len(rows):
        r = rows[at]
        at += 1
        peers = []
        while at < len(rows) and rows[at].side != "forerunner":
            p = rows[at]
            at += 1
            if p.missing:
                peers.append(f"{p.side}: not here")
            else:
                ratio = f" ({number(p.ratio)} x)" if p.ratio else ""
                peers.append(f"{p.side} {number(p.median)}{ratio}")
        ours = (f"not here: {r.missing}" if r.missing else
                f"{number(r.median)} {r.unit}".strip() +
                (f" ({r.spread})" if r.spread else ""))
        out.append(f"| {r.figure} | {ours} | {'; '.join(peers)} | "
                   f"{'; '.join(verdict(*v) for v in r.verdicts)} |")
    return "\n".join(out) + "\n"


def keep(path, rows, add):
    """Writes the rows to a file of JSON lines; with add those of figures
    measured before stay. Returns all that is in it."""
    old = []
    if add:
        try:
            with open(path, encoding="utf-8") as f:
                old = [Row(**json.loads(line)) for line in f]
        except FileNotFoundError:
            pass
    new = {r.figure for r in rows}
    rows = [r for r in old if r.figure not in new] + rows
    with open(path, "w", encoding="utf-8") as f:
        for r in rows:
            f.write(json.dumps(vars(r)) + "\n")
    return rows
