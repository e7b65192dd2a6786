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

    def test_much_less_is_good_and_asks_to_be_kept(self):
        self.judge(FIGURES, keeps=True)
        status, said = self.judge({**FIGURES, "instructions-full": 4000000})
        self.assertEqual(status, 0)
        self.assertIn("--keep", said)

    def test_with_another_compiler_or_library_it_does_not_decide_and_says_which(self):
        self.judge(FIGURES, keeps=True)
        for what in HERE:
            status, said = self.judge({**FIGURES, "instructions-kept": 52000}, {**HERE, what: "another"})
            self.assertEqual(status, 0)
            self.assertIn(gate.UNDECIDED, said)
            self.assertIn(f"{what} is another, was {HERE[what]}", said)

    def test_what_it_was_counted_with_is_found_here(self):
        found = gate.counted_with()
        self.assertEqual(set(found), {"architecture", "gcc", *gate.PACKAGES})
        self.assertTrue(all(found.values()))

    def test_without_anything_kept_it_says_so(self):
        with self.assertRaises(SystemExit):
            self.judge(FIGURES)


if __name__ == "__main__":
    unittest.main()
