# SPDX-License-Identifier: Apache-2.0
"""The ratios of a finished benchmark as an SVG: a bar for each row, a mark for its goal, the better peer at 1. It
brings its own background, light or dark as the reader likes it, so that it can be read on any page."""

from xml.sax.saxutils import escape

from rows import AtMost, DIFFERENCES, PEERS, better

WIDTH, LABEL, SCALE, LINE, TOP = 900, 410, 360, 22, 80
LONGEST = 1.15  # what is more is drawn as this much
BEST_LABEL = "… beside peers' best session settings"
STYLE = """\
svg { --page: #ffffff; --text: #1f2328; --soft: #656d76;
      --bar: #2f6fdb; --over: #c2571a; --mark: #1f2328; --grid: #d0d7de }
@media (prefers-color-scheme: dark) {
  svg { --page: #0d1117; --text: #e6edf3; --soft: #9198a1;
        --bar: #4c8dff; --over: #e8833a; --mark: #ffffff; --grid: #30363d }
}
text { font: 13px system-ui, sans-serif; fill: var(--text) }
.title { font-size: 15px; font-weight: 600 }
.soft { fill: var(--soft) }
.page { fill: var(--page) }
.bar { fill: var(--bar) }
.over { fill: var(--over) }
.mark { stroke: var(--mark); stroke-width: 2 }
.grid { stroke: var(--grid) }
.peer { stroke: var(--soft); stroke-width: 2; stroke-dasharray: 4 3 }
"""


def bars(chosen, results):
    """[(label, ratio, goal)]: rows that have a goal and a ratio, those with a goal for best settings twice."""
    found = []
    for _, rows in chosen:
        for row in rows:
            kept = results["rows"][row.key]
            if row.unit in DIFFERENCES:
                continue
            for goal in row.goals:
                best = getattr(goal, "best", False)
                ratio = kept["best_ratio" if best else "ratio"]
                if ratio is not None:
                    found.append((BEST_LABEL if best else row.name, ratio, _limit(goal, kept["cells"])))
    return found


def _limit(goal, cells):
    """As a ratio, whatever it was told as."""
    return goal.limit / better(cells, PEERS) if isinstance(goal, AtMost) else goal.limit


def _bar(y, label, ratio, goal):
    x = LABEL + SCALE * min(ratio, LONGEST)
    kind = "over" if ratio > goal else "bar"
    lines = [f'<text x="{LABEL - 10}" y="{y + 13}" text-anchor="end">{escape(label)}</text>',
             f'<rect class="{kind}" x="{LABEL}" y="{y + 2}" width="{x - LABEL:.1f}" height="{LINE - 8}" rx="2"/>']
    at = LABEL + SCALE * goal
    if goal <= LONGEST:
        lines.append(f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{y - 1}" y2="{y + LINE - 3}"/>')
    beside = max(x, at if goal <= LONGEST else x) + 8
    if LABEL + SCALE - 40 < beside < LABEL + SCALE + 8:
        beside = LABEL + SCALE + 8  # not across the peers' line
    lines.append(f'<text x="{beside:.1f}" y="{y + 13}">{ratio:.2f}</text>')
    return lines


def draw(chosen, results):
    """The text of the SVG."""
    found = bars(chosen, results)
    height = TOP + LINE * len(found) + 20
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
             f'height="{height}" role="img" aria-label="What lb takes beside the better peer">',
             f"<style>\n{STYLE}</style>",
             f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
             '<text class="title" x="16" y="24">What lb takes, the better peer being 1: '
             'nginx, HAProxy, and for HTTP/2 nghttpx</text>',
             '<text class="soft" x="16" y="44">less is better · upright marks are goals, what misses one is orange · '
             f'{escape(results["when"][:10])}</text>']
    for tenth in (0, 0.25, 0.5, 0.75):
        x = LABEL + SCALE * tenth
        lines += [f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{height - 14}"/>',
                  f'<text class="soft" x="{x:.1f}" y="{TOP - 8}" text-anchor="middle">{tenth:g}</text>']
    for number, (label, ratio, goal) in enumerate(found):
        lines += _bar(TOP + LINE * number, label, ratio, goal)
    x = LABEL + SCALE
    lines += [f'<line class="peer" x1="{x}" x2="{x}" y1="{TOP - 4}" y2="{height - 14}"/>',
              f'<text class="soft" x="{x}" y="{TOP - 8}" text-anchor="middle">1 = better peer</text>', "</svg>"]
    return "\n".join(lines) + "\n"
