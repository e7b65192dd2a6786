# SPDX-License-Identifier: Apache-2.0
"""Rows of the report: what each is called, how its figures are written, and what lb is to reach."""

import dataclasses

OWN = "lb"
PEERS_EVERYWHERE = ("nginx", "haproxy")
PEERS = (*PEERS_EVERYWHERE, "nghttpx")  # the last one where HTTP/2 is spoken
BEST = ("nginx best", "haproxy best")

WRITTEN = {
    "µs": "{:,.1f} µs",
    "ms": "{:,.1f} ms",
    "s": "{:,.2f} s",
    "ms per GiB": "{:,.0f} ms",
    "instructions": "{:,.0f}",
    "calls": "{:.2f}",
    "bytes": "{:,.0f} bytes",
    "MiB": "{:,.1f} MiB",
    "more µs": "{:+.2f} µs",
    "more %": "{:+.1f} %",
    "count": "{:,.0f}",
}
DIFFERENCES = ("more µs", "more %", "count")  # a ratio of these says nothing


def usable(cell):
    """Is there a figure that may be compared?"""
    return cell is not None and not cell["faults"] and cell["median"] is not None


def better(cells, columns):
    """The smallest median of these columns; None when none of them has one."""
    return min((cells[name]["median"] for name in columns if usable(cells.get(name))), default=None)


def ratio(cells, columns):
    """lb's median to the better of these columns; None where one of the two is missing."""
    peer = better(cells, columns)
    if not peer or not usable(cells.get(OWN)):
        return None
    return cells[OWN]["median"] / peer


@dataclasses.dataclass(frozen=True)
class Ratio:
    """lb takes at most `limit` times what the better peer takes: with its default settings, or with its best."""
    limit: float
    best: bool = False

    def figure(self, cells):
        return ratio(cells, BEST if self.best else PEERS)

    def text(self, _):
        return f"≤ {self.limit:.2f} × {'best setting' if self.best else 'better peer'}"


@dataclasses.dataclass(frozen=True)
class AtMost:
    """lb's figure is at most `limit`, whatever peers take."""
    limit: float

    def figure(self, cells):
        return cells[OWN]["median"] if usable(cells.get(OWN)) else None

    def text(self, row):
        return "≤ " + row.text(self.limit)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line. `work`: what the load generator is asked for, where that is all that a row needs; `quick`: it is
    part of the quick run."""
    key: str
    name: str
    unit: str
    goals: tuple = ()
    work: object = None
    quick: bool = False

    def text(self, figure):
        return WRITTEN[self.unit].format(figure)

    def verdicts(self, cells):
        """[{"goal", "figure", "met"}] of all goals; met is None where there is nothing to compare."""
        found = []
        for goal in self.goals:
            figure = goal.figure(cells)
            found.append({"goal": goal.text(self), "figure": figure,
                          "met": None if figure is None else figure <= goal.limit})
        return found
