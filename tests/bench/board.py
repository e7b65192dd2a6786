# SPDX-License-Identifier: Apache-2.0
"""Figures while they are taken: of each row and column those of all repetitions, and what went wrong."""

import statistics

MOST_CHARACTERS = 300  # of a fault: what a program says of itself may be long


def summarise(values, faults):
    """One cell of the report: median and range of its repetitions; None where there are no figures."""
    return {"median": statistics.median(values) if values else None,
            "least": min(values, default=None), "most": max(values, default=None),
            "count": len(values), "faults": sorted(set(faults))}


class Board:
    """Cells by row key and column name, in the order in which they were first heard of."""

    def __init__(self, say):
        self.say = say
        self._values = {}
        self._faults = {}

    def add(self, row, column, value, faults=()):
        """One figure of one repetition; with faults it is kept, but its cell will not be used."""
        self._values.setdefault((row.key, column), []).append(value)
        for fault in faults:
            self._faults.setdefault((row.key, column), []).append(fault)
        self.say(f"  {row.name:44} {column:13} {row.text(value):>18} {'; '.join(faults)}")

    def fault(self, rows, column, text):
        """Something went wrong with a column; every one of these rows lacks its figures."""
        line = (str(text).splitlines() or [""])[0][:MOST_CHARACTERS]
        self.say(f"  {column}: {line}")
        for row in rows:
            self._faults.setdefault((row.key, column), []).append(line)

    def cell(self, row, column):
        """The cell so far, or None when nothing was heard of it."""
        place = (row.key, column)
        if place not in self._values and place not in self._faults:
            return None
        return summarise(self._values.get(place, []), self._faults.get(place, []))

    def cells(self, row):
        """{column: cell} of one row."""
        columns = {place[1]: None for place in (*self._values, *self._faults) if place[0] == row.key}
        return {column: self.cell(row, column) for column in columns}
