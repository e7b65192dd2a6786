# SPDX-License-Identifier: Apache-2.0
import unittest
import xml.etree.ElementTree

from surroundings import CHOSEN, FIGURES, cells, results

import groups
import plot
import report
import rows

SVG = "{http://www.w3.org/2000/svg}"


class Tables(unittest.TestCase):
    def line(self, name, figures=None, **more):
        text = report.table(CHOSEN, results(CHOSEN, {**FIGURES, **(figures or {})}, **more))
        return next(line for line in text.splitlines() if line.startswith(f"| {name}"))

    def test_a_line_has_figures_with_ranges_ratios_and_verdicts(self):
        self.assertEqual(self.line("a request"),
                         "| a request, CPU | 10.0 µs (9.0–12.0) | 21.0 µs (20.0–22.0) | 25.0 µs (24.0–26.0) | "
                         "11.0 µs (nginx) | 0.48, 0.91 best | ≤ 0.50 × better peer met; "
                         "≤ 0.80 × best setting **MISSED** |")

    def test_an_absolute_goal_is_written_in_its_unit(self):
        self.assertEqual(self.line("instructions"),
                         "| instructions (once) | 27,000 | 52,000 | 54,000 | – | 0.52 | ≤ 26,000 **MISSED** |")

    def test_counts_have_no_ratio(self):
        self.assertEqual(self.line("requests"), "| requests that failed (once) | 0 | 13 | 52 | – | – | ≤ 0 met |")

    def test_a_fault_is_shown_in_its_place_and_told_below(self):
        figures = {"cpu": cells(lb=10, nginx=[20, "3 failures"], haproxy=25)}
        self.assertIn("| FAULT | 25.0 µs | – | 0.40 |", self.line("a request", figures))
        figures["counted"] = cells(lb=27000, nginx="3 failures", haproxy=54000)
        text = report.table(CHOSEN, results(CHOSEN, {**FIGURES, **figures}))
        self.assertIn("- nginx: 3 failures (a request, CPU; instructions)\n", text)

    def test_a_peer_that_is_in_some_rows_only_has_a_column_all_the_same(self):
        figures = {"counted": cells(lb=27000, nginx=52000, haproxy=54000, nghttpx=30000)}
        self.assertEqual(self.line("work", figures).count("|"), self.line("instructions", figures).count("|"))
        self.assertIn("| haproxy | nghttpx | best setting |", self.line("work", figures))
        self.assertIn("| 54,000 | 30,000 | – | 0.90 |", self.line("instructions", figures))
        self.assertIn("| 52 | – | – | – |", self.line("requests", figures))
        self.assertNotIn("nghttpx", self.line("work"))

    def test_a_missing_peer_is_told(self):
        text = report.table(CHOSEN, results(CHOSEN, FIGURES, missing=["haproxy"]))
        self.assertIn("- haproxy is not installed", text)

    def test_notes_tell_a_quick_run_and_what_all_clients_share(self):
        told = results(CHOSEN, FIGURES)
        self.assertNotIn("--quick", report.table(CHOSEN, told))
        text = report.table(CHOSEN, {**told, "quick": True})
        self.assertIn("A quick run (--quick)", text)
        self.assertIn("3 interleaved repetitions, where a row does not say", text)
        self.assertIn("all clients show one certificate, whose chain lb remembers", text)

    def test_a_row_says_how_often_it_was_measured_where_that_differs(self):
        self.assertEqual(self.line("a request", {"cpu": cells(lb=[1, 2], nginx=[1, 1])}).split(" | ")[0],
                         "| a request, CPU (2 times)")

    def test_goals_are_counted(self):
        self.assertIn("2 of 4 goals are met, 2 missed, 0 not compared.",
                      report.table(CHOSEN, results(CHOSEN, FIGURES)))


class Plots(unittest.TestCase):
    def test_bars_are_ratios_with_goals_as_ratios(self):
        self.assertEqual(plot.bars(CHOSEN, results(CHOSEN, FIGURES)),
                         [("a request, CPU", 10 / 21, 0.5),
                          ("… beside peers' best session settings", 10 / 11, 0.8),
                          ("instructions", 27000 / 52000, 26000 / 52000)])

    def test_it_is_well_formed_and_every_bar_stands_in_the_picture(self):
        figures = {**FIGURES, "cpu": cells(lb=90, nginx=20, haproxy=25, nginx_best=11)}
        picture = xml.etree.ElementTree.fromstring(plot.draw(CHOSEN, results(CHOSEN, figures)))
        drawn = [one for one in picture.iter(SVG + "rect") if one.get("class") in ("bar", "over")]
        self.assertEqual([one.get("class") for one in drawn], ["over", "over", "over"])
        for one in drawn:
            self.assertLessEqual(float(one.get("x")) + float(one.get("width")), float(picture.get("width")))
        self.assertEqual(len([one for one in picture.iter(SVG + "line") if one.get("class") == "mark"]), 3)

    def test_without_peers_it_is_empty_and_still_well_formed(self):
        figures = {"cpu": cells(lb=1), "failed": cells(lb=0), "counted": cells(lb=2)}
        xml.etree.ElementTree.fromstring(plot.draw(CHOSEN, results(CHOSEN, figures)))


class Groups(unittest.TestCase):
    def test_keys_and_names_are_unique(self):
        keys = [row.key for group in groups.ALL for row in group.ROWS]
        self.assertEqual(len(keys), len(set(keys)))
        names = [row.name for group in groups.ALL for row in group.ROWS if row.goals and "…" not in row.name]
        self.assertEqual(len(names), len(set(names)))

    def test_a_full_run_has_every_row_and_a_quick_one_some(self):
        every = [row for _, some in groups.choose(False, []) for row in some]
        self.assertEqual(every, [row for group in groups.ALL for row in group.ROWS])
        self.assertTrue(0 < len([row for _, some in groups.choose(True, []) for row in some]) < len(every))

    def test_work_is_chosen_by_group_or_by_row(self):
        chosen = {group.NAME: [row.key for row in some] for group, some in groups.choose(True, ["bodies", "full-1.2"])}
        self.assertEqual(chosen["handshakes"], ["full-1.2"])
        self.assertEqual(len(chosen["bodies"]), 4)
        chosen = dict(groups.choose(True, ["handshakes"]))
        self.assertEqual([row.key for row in chosen[groups.handshakes]], ["full", "resumed"])
        chosen = dict(groups.choose(False, ["handshakes"]))
        self.assertEqual(len(chosen[groups.handshakes]), len(groups.handshakes.ROWS))
        with self.assertRaises(SystemExit):
            groups.choose(True, ["bodies", "nonsense"])

    def test_the_estimates_keep_what_is_promised(self):
        for quick, most_s in ((False, 30 * 60), (True, 150)):
            chosen = groups.choose(quick, [])
            self.assertLess(sum(groups.seconds(group, some, quick) for group, some in chosen), most_s)

    def test_every_unit_can_be_written(self):
        for row in (row for group in groups.ALL for row in group.ROWS):
            self.assertIn("1", row.text(1.0))
            self.assertIn(row.unit, rows.WRITTEN)


if __name__ == "__main__":
    unittest.main()
