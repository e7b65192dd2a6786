# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import os
import tempfile
import types
import unittest
import unittest.mock

import surroundings

import gate
from fault import Fault

FIGURES = {"instructions-kept": 26000, "instructions-full": 5000000}
HERE = {"architecture": "x86_64 avx2", "gcc": "12", "OpenSSL": "3.0", "libc": "2.36", "valgrind": "3.19"}


class Gate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "instructions.json")

    def judge(self, figures, conditions=None, keeps=False):
        """(exit status, what was printed) of the whole gate; only the counting is not done."""
        bench = types.SimpleNamespace(say=surroundings.QUIET)
        said = io.StringIO()
        with unittest.mock.patch.object(gate, "count", lambda _: figures), \
                unittest.mock.patch.object(gate, "counted_with", lambda: conditions or HERE), \
                unittest.mock.patch.object(gate.instructions, "countable", lambda: True), \
                contextlib.redirect_stdout(said):
            return gate.run(bench, self.path, keeps), said.getvalue()

    def test_what_was_kept_is_good(self):
        self.assertEqual(self.judge(FIGURES, keeps=True)[0], 0)
        status, said = self.judge(FIGURES)
        self.assertEqual(status, 0)
        self.assertNotIn(gate.UNDECIDED, said)

    def test_four_percent_more_fail_with_the_figure(self):
        self.judge({**FIGURES, "instructions-kept": 25000}, keeps=True)  # a baseline that is too good
        status, said = self.judge(FIGURES)
        self.assertEqual(status, 1)
        self.assertIn("instructions-kept: 26,000 instructions, +4.00% to the 25,000 that were kept: WORSE", said)
        self.assertIn("instructions-full: 5,000,000 instructions, +0.00%", said)

    def test_three_percent_more_are_put_up_with_and_a_little_over_is_not(self):
        self.judge({"instructions-kept": 100000}, keeps=True)
        self.assertEqual(self.judge({"instructions-kept": 103000})[0], 0)
        self.assertEqual(self.judge({"instructions-kept": 103001})[0], 1)

    def test_any_of_them_fails_the_gate(self):
        self.judge(FIGURES, keeps=True)
        for key, figure in FIGURES.items():
            self.assertEqual(self.judge({**FIGURES, key: figure * 1.04})[0], 1)

    def test_much_less_fails_and_asks_to_be_kept(self):
        self.judge({"instructions-kept": 100000}, keeps=True)
        self.assertEqual(self.judge({"instructions-kept": 97000})[0], 0)
        status, said = self.judge({"instructions-kept": 96999})
        self.assertEqual(status, 1)
        self.assertIn("count anew with --instructions --keep", said)

    def test_with_another_compiler_or_library_it_does_not_decide_and_says_which(self):
        self.judge(FIGURES, keeps=True)
        for what in HERE:
            status, said = self.judge({**FIGURES, "instructions-kept": 52000}, {**HERE, what: "another"})
            self.assertEqual(status, 0)
            self.assertIn(gate.UNDECIDED, said)
            self.assertIn("would be worse by more than 3%", said)
            self.assertNotIn("WORSE", said)
            self.assertIn(f"{what} is another, was {HERE[what]}", said)

    def test_what_it_was_counted_with_is_found_here(self):
        found = gate.counted_with()
        self.assertEqual(set(found), {"architecture", "gcc", *gate.PACKAGES})
        self.assertTrue(all(found.values()))

    def test_without_anything_sound_kept_it_says_so_before_it_counts(self):
        counted = unittest.mock.Mock()
        for text in (None, "", "{", "[]", "{}", '{"figures": {}, "counted_with": {}}',
                     '{"figures": {"a": 0}, "counted_with": {}}', '{"figures": {"a": "1"}, "counted_with": {}}'):
            if text is not None:
                with open(self.path, "w", encoding="utf-8") as file:
                    file.write(text)
            with unittest.mock.patch.object(gate, "count", counted), \
                    unittest.mock.patch.object(gate.instructions, "countable", lambda: True), \
                    self.assertRaises(SystemExit) as caught:
                gate.run(None, self.path, False)
            self.assertIn("cannot be read" if text is None else "is damaged", str(caught.exception))
        counted.assert_not_called()


class Counting(unittest.TestCase):
    def counted(self, *outcomes):
        """What per_unit makes of these counts, of which some may be faults."""
        bench = types.SimpleNamespace(say=surroundings.QUIET)
        with unittest.mock.patch.object(gate.instructions, "count", unittest.mock.Mock(side_effect=outcomes)):
            return gate.instructions.per_unit(bench, None, gate.instructions.workloads.FULL)

    def test_what_fails_once_is_counted_once_more(self):
        self.assertEqual(self.counted(Fault("1 failures, first: reset"), 1200, ConnectionResetError("reset"), 200), 10)

    def test_what_fails_twice_is_a_fault(self):
        with self.assertRaises(Fault):
            self.counted(Fault("one"), Fault("two"))


if __name__ == "__main__":
    unittest.main()
