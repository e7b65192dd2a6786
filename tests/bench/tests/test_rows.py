# SPDX-License-Identifier: Apache-2.0
import unittest

import surroundings
from surroundings import CPU, FAILED, FIGURES, cells

import board
import rows


class Ratios(unittest.TestCase):
    def test_the_better_of_two_peers_counts(self):
        self.assertEqual(rows.ratio(FIGURES["cpu"], rows.PEERS), 10 / 21)
        self.assertEqual(rows.ratio(FIGURES["cpu"], rows.BEST), 10 / 11)

    def test_a_peer_with_a_fault_does_not_count(self):
        self.assertEqual(rows.ratio(cells(lb=10, nginx=[20, "it failed"], haproxy=25), rows.PEERS), 10 / 25)

    def test_without_a_peer_or_without_lb_there_is_no_ratio(self):
        for some in (cells(lb=10), cells(nginx=20, haproxy=20), cells(lb=[10, "it failed"], nginx=20),
                     cells(lb=10, nginx="it did not start")):
            self.assertIsNone(rows.ratio(some, rows.PEERS))


class Verdicts(unittest.TestCase):
    def test_default_and_best_settings_have_goals_of_their_own(self):
        self.assertEqual([verdict["met"] for verdict in CPU.verdicts(FIGURES["cpu"])], [True, False])

    def test_a_figure_at_the_limit_meets_the_goal_and_one_above_misses_it(self):
        self.assertTrue(CPU.verdicts(cells(lb=10, nginx=20))[0]["met"])
        self.assertFalse(CPU.verdicts(cells(lb=10.01, nginx=20))[0]["met"])

    def test_what_cannot_be_compared_is_neither_met_nor_missed(self):
        self.assertEqual([verdict["met"] for verdict in CPU.verdicts(cells(lb=10))], [None, None])

    def test_an_absolute_goal_needs_no_peer(self):
        self.assertTrue(FAILED.verdicts(cells(lb=0))[0]["met"])
        self.assertFalse(FAILED.verdicts(cells(lb=1))[0]["met"])
        self.assertIsNone(FAILED.verdicts(cells(nginx=0))[0]["met"])


class Boards(unittest.TestCase):
    def test_a_cell_is_the_median_and_the_range_of_its_repetitions(self):
        made = board.Board(surroundings.QUIET)
        for value in (3, 1, 8):
            made.add(CPU, "lb", value)
        cell = made.cell(CPU, "lb")
        self.assertEqual((cell["median"], cell["least"], cell["most"], cell["count"]), (3, 1, 8, 3))
        self.assertTrue(rows.usable(cell))

    def test_one_repetition_with_a_fault_spoils_its_cell_and_no_other(self):
        made = board.Board(surroundings.QUIET)
        made.add(CPU, "lb", 3, ["2 of 3 units done"])
        made.add(CPU, "lb", 3)
        made.add(CPU, "nginx", 4)
        self.assertFalse(rows.usable(made.cell(CPU, "lb")))
        self.assertTrue(rows.usable(made.cell(CPU, "nginx")))

    def test_a_balancer_that_never_started_has_a_cell_with_its_fault(self):
        made = board.Board(surroundings.QUIET)
        made.fault([CPU, FAILED], "haproxy", "it did not start")
        self.assertEqual(made.cells(FAILED)["haproxy"]["faults"], ["it did not start"])
        self.assertFalse(rows.usable(made.cell(CPU, "haproxy")))
        self.assertIsNone(made.cell(CPU, "nginx"))


if __name__ == "__main__":
    unittest.main()
