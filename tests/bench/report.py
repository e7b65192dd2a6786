# SPDX-License-Identifier: Apache-2.0
"""Medians, ranges and the Markdown table of a finished benchmark."""

import statistics


def summarise(runs):
    """{"median", "least", "most", …} of the repetitions of one cell."""
    cpu = [run["cpu_us"] for run in runs]
    return {"median_us": statistics.median(cpu), "least_us": min(cpu), "most_us": max(cpu),
            "per_second": statistics.median(run["per_second"] for run in runs),
            "p50_us": statistics.median(run["p50_us"] for run in runs),
            "p99_us": statistics.median(run["p99_us"] for run in runs),
            "repetitions": len(runs), "faults": sorted({f for run in runs for f in run["faults"]})}


def better_peer(balancers, cells, key):
    """The smallest figure among peers with default settings; None when there is none."""
    figures = [cells[b.name][key] for b in balancers
               if b.is_peer and b.is_default and b.name in cells and not cells[b.name]["faults"]]
    return min(figures, default=None)


def _verdict(ratio, goal):
    if ratio is None:
        return "–", "–"
    return f"{ratio:.2f}", f"≤ {goal:.2f} {'met' if ratio <= goal else 'MISSED'}"


def _cell(cell, text):
    if cell is None:
        return "–"
    return "FAULT" if cell["faults"] else text(cell)


def _row(title, balancers, cells, key, goal, text):
    peer = better_peer(balancers, cells, key)
    own = cells.get("lb")
    usable = peer is not None and own is not None and not own["faults"]
    verdict = _verdict(own[key] / peer if usable else None, goal)
    figures = [_cell(cells.get(b.name), text) for b in balancers]
    return [title, *figures, *verdict]


def _cpu_text(cell):
    return f"{cell['median_us']:.1f} µs ({cell['least_us']:.1f}–{cell['most_us']:.1f})"


def _calls_text(cell):
    return f"{cell['socket']:.2f} + {cell['wait']:.2f} + {cell['other']:.2f}"


def _markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def table(balancers, results):
    """The whole report as Markdown."""
    names = [b.name for b in balancers]
    rows = [["work", *names, "lb / better peer", "goal"]]
    for title, entry in results["cpu"].items():
        rows.append(_row(title + ", CPU", balancers, entry["cells"], "median_us", entry["goal"],
                         _cpu_text))
    if results["calls"]:
        rows.append(_calls_row(balancers, results["calls"]))
    if results["idle"]:
        title = f"idle connection, RSS of {results['idle']['connections']:,}"
        rows.append(_row(title, balancers, results["idle"]["cells"], "rss_bytes", 0.92,
                         lambda cell: f"{cell['rss_bytes']:,.0f} bytes"))
    return "\n\n".join([_markdown(rows), _latency(balancers, results), _notes(results),
                        _faults(results)]).strip() + "\n"


def _calls_row(balancers, cells):
    own = cells.get("lb")
    met = "–"
    if own is not None and not own["faults"]:
        met = "≤ 4 " + ("met" if own["socket"] <= 4.05 else "MISSED")
    return ["keep-alive, system calls: socket + wait + other", *(
        _cell(cells.get(b.name), _calls_text) for b in balancers), "", met]


def _latency(balancers, results):
    rows = [["per second; p50 / p99 at saturation", *(b.name for b in balancers)]]
    for title, entry in results["cpu"].items():
        rows.append([title, *(_cell(entry["cells"].get(b.name), lambda cell: (
            f"{cell['per_second']:,.0f}; {cell['p50_us'] / 1000:.2f} / {cell['p99_us'] / 1000:.2f} ms"
        )) for b in balancers)])
    return _markdown(rows)


def _notes(results):
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return (f"{versions}. {results['machine']}. CPU is user and system time of the balancer's processes "
            f"per unit, median and range of {results['repetitions']} interleaved repetitions; ratios are to "
            "the better peer with its default session settings.")


def _faults(results):
    lines = []
    for title, entry in results["cpu"].items():
        lines += [f"- {title}, {name}: {fault}" for name, cell in entry["cells"].items()
                  for fault in cell["faults"]]
    idle = results["idle"]["cells"] if results["idle"] else {}
    for title, cells in (("system calls", results["calls"]), ("idle", idle)):
        lines += [f"- {title}, {name}: {fault}" for name, cell in cells.items()
                  for fault in cell["faults"]]
    return "Faults (their figures are not used):\n\n" + "\n".join(lines) if lines else ""
