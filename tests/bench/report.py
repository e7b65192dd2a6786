# SPDX-License-Identifier: Apache-2.0
"""The Markdown of a finished benchmark. `results` is what bench.json holds: {"rows": {key: {"name", "unit", "cells",
"verdicts", "ratio", "best_ratio"}}, and about the run "machine", "versions", "when", "repetitions", "quick",
"missing"}."""

from rows import BEST, DIFFERENCES, OWN, PEERS, PEERS_EVERYWHERE, ratio, usable

HEAD = ("best setting", "lb / better peer", "goal")  # behind the columns of balancers


def entry(row, cells):
    """What `results` keeps of one row."""
    return {"name": row.name, "unit": row.unit, "cells": cells, "verdicts": row.verdicts(cells),
            "ratio": ratio(cells, PEERS), "best_ratio": ratio(cells, BEST)}


def _columns(results):
    """lb, peers that are in every row, and whoever has a cell in any."""
    heard = {name for kept in results["rows"].values() for name in kept["cells"]}
    return [OWN, *(name for name in PEERS if name in PEERS_EVERYWHERE or name in heard)]


def _cell(row, cell):
    if cell is None:
        return "–"
    if not usable(cell):
        return "FAULT"
    text = row.text(cell["median"])
    if cell["count"] < 2 or cell["least"] == cell["most"]:
        return text
    return f"{text} ({row.text(cell['least']).split()[0]}–{row.text(cell['most']).split()[0]})"


def _best(row, cells):
    """The better of the peers' best settings, and whose it is."""
    usables = [name for name in BEST if usable(cells.get(name))]
    if not usables:
        return "FAULT" if any(name in cells for name in BEST) else "–"
    name = min(usables, key=lambda column: cells[column]["median"])
    return f"{row.text(cells[name]['median'])} ({name.split()[0]})"


def _ratios(row, kept):
    if row.unit in DIFFERENCES:
        return "–"
    texts = [f"{kept[key]:.2f}{word}" for key, word in (("ratio", ""), ("best_ratio", " best"))
             if kept[key] is not None]
    return ", ".join(texts) or "–"


def _goals(verdicts):
    words = {True: "met", False: "**MISSED**", None: "not compared"}
    return "; ".join(f"{verdict['goal']} {words[verdict['met']]}" for verdict in verdicts) or "–"


def _name(row, cells, repetitions):
    """The row's name, and how often it was measured where that is not as often as the notes say."""
    count = max((cell["count"] for cell in cells.values() if cell is not None), default=0)
    if count in (0, repetitions):
        return row.name
    return f"{row.name} ({'once' if count == 1 else f'{count} times'})"


def _table(chosen, results):
    columns = _columns(results)
    lines = ["| work | " + " | ".join([*columns, *HEAD]) + " |", "|---" * (len(columns) + len(HEAD) + 1) + "|"]
    for _, rows in chosen:
        for row in rows:
            kept = results["rows"][row.key]
            cells = kept["cells"]
            lines.append("| " + " | ".join([_name(row, cells, results["repetitions"]),
                                            *(_cell(row, cells.get(name)) for name in columns),
                                            _best(row, cells), _ratios(row, kept), _goals(kept["verdicts"])]) + " |")
    return "\n".join(lines)


def _count(results):
    met = [verdict["met"] for kept in results["rows"].values() for verdict in kept["verdicts"]]
    return f"{met.count(True)} of {len(met)} goals are met, {met.count(False)} missed, {met.count(None)} not compared."


def _notes(results):
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    quick = "A quick run (--quick): fewer rows and smaller units. " if results["quick"] else ""
    return (f"{versions}. {results['machine']}. {results['when']}. {quick}{results['repetitions']} interleaved "
            "repetitions, where a row does not say how often it was measured. CPU is user and system time of the "
            "balancer's processes per unit; medians, with ranges in brackets; ratios are to the better peer with its "
            "default settings, and (best) with its best ones: sessions kept by itself, or larger buffers for bodies. "
            "Where a row does not say otherwise, all clients show one certificate, whose chain lb remembers.")


def _faults(results):
    """Each fault once, with the rows that it spoils."""
    spoilt = {}
    for kept in results["rows"].values():
        for column, cell in kept["cells"].items():
            for fault in cell["faults"]:
                spoilt.setdefault((column, fault), []).append(kept["name"])
    lines = [f"- {name} is not installed: its figures are missing" for name in results["missing"]]
    lines += [f"- {column}: {fault} ({'; '.join(names)})" for (column, fault), names in spoilt.items()]
    return ["Faults (their figures are not used):", "\n".join(lines)] if lines else []


def lacking(results):
    """Why these results may not stand for a whole run: who was not measured, or None."""
    cells = [kept["cells"] for kept in results["rows"].values()]
    for name in dict.fromkeys([*results["missing"], *_columns(results)]):
        if name in results["missing"] or not any(usable(of.get(name)) for of in cells):
            return f"{name} was not measured"
    if any(of[OWN]["faults"] for of in cells if OWN in of):
        return f"{OWN} had faults"
    return None


def table(chosen, results):
    """The whole report; chosen as groups.choose() gave it."""
    return "\n\n".join([_table(chosen, results), _count(results), _notes(results), *_faults(results)]) + "\n"


def page(text, plot_name):
    """RESULTS.md: the report of the last full run, with its plot."""
    return ("# The last full run of `./dev bench`\n\n"
            "Written by the benchmark; how it measures is told in [ARCHITECTURE.md](../../ARCHITECTURE.md), what was "
            f"tried in [NOTES.md](NOTES.md).\n\n![lb beside the better peer]({plot_name})\n\n{text}")
