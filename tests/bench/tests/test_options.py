# SPDX-License-Identifier: Apache-2.0
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import tempfile
import types
import unittest
import unittest.mock

from surroundings import CHOSEN, CPU, FAILED, FIGURES, QUIET, cells, results

import accounting
import bench
import options
import report
from fault import Fault


class Options(unittest.TestCase):
    def refusal(self, *arguments):
        """The last line of what is said when they are refused."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as caught:
            options.read("test", list(arguments))
        self.assertEqual(caught.exception.code, 2)
        return said.getvalue().splitlines()[-1]

    def test_what_would_be_ignored_is_refused(self):
        self.assertIn("--before goes with --registry", self.refusal("--before", "lb"))
        self.assertIn("--keep goes with --instructions", self.refusal("--keep"))
        for one, other in (("--scale", "--registry"), ("--instructions", "--policy"), ("--instructions", "--scale")):
            self.assertIn("exclude one another", self.refusal(one, other))

    def test_an_unknown_balancer_is_refused_with_those_there_are(self):
        self.assertIn("lb, nginx, haproxy, nghttpx, not 'apache'", self.refusal("--only", "lb,apache"))

    def test_lists_may_have_spaces(self):
        read = options.read("test", ["--work", "idle, calls", "--only", "lb, nginx"])
        self.assertEqual((read.work, read.only), (["idle", "calls"], ["lb", "nginx"]))

    def test_a_folder_that_balancers_cannot_be_told_of_is_refused(self):
        for folder in ("/tmp/a b", "/tmp/a,b", "/tmp/a'b", '/tmp/a"b', "/tmp/a;b", "/tmp/ä"):
            self.assertIn("--out", self.refusal("--out", folder))
        options.read("test", ["--out", "/tmp/a-b_c.d/1"])


    def test_http2_is_short_for_its_group(self):
        self.assertEqual(options.read("test", ["--http2"]).work, ["http2"])
        self.assertEqual(options.read("test", ["--http2", "--work", "kept"]).work, ["kept", "http2"])


class Folders(unittest.TestCase):
    def test_a_second_run_is_kept_out_until_the_first_ends(self):
        with tempfile.TemporaryDirectory() as folder:
            first = bench.lock(folder)
            with self.assertRaises(SystemExit) as caught:
                bench.lock(folder)
            self.assertIn("another run uses " + folder, str(caught.exception))
            first.close()
            bench.lock(folder).close()

    def test_a_folder_that_cannot_be_made_is_told_in_one_line(self):
        with tempfile.NamedTemporaryFile() as file, self.assertRaises(SystemExit) as caught:
            bench.lock(os.path.join(file.name, "out"))
        self.assertIn("cannot be written: Not a directory", str(caught.exception))


class Memory(unittest.TestCase):
    def test_memory_that_may_not_be_read_is_a_fault_that_says_what_to_do(self):
        refused = unittest.mock.Mock(side_effect=PermissionError(13, "Permission denied"))
        with unittest.mock.patch.object(accounting, "family", lambda root: [root]), \
                unittest.mock.patch("builtins.open", refused), self.assertRaises(Fault) as caught:
            accounting.memory_bytes(42)
        self.assertEqual(str(caught.exception),
                         "memory of process 42 cannot be read (Permission denied): run as root")


class Whole(unittest.TestCase):
    """The program itself, of which only a group's work is not done."""

    def setUp(self):
        path = os.path.join(options.HERE, "run")
        loader = importlib.machinery.SourceFileLoader("bench_run", path)
        self.run = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_run", loader))
        loader.exec_module(self.run)
        self.run.say = QUIET

    def test_a_group_that_fails_leaves_the_rows_before_it(self):
        def measures(_, told, rows):
            told.add(rows[0], "lb", 5)

        def fails(*_):
            raise ConnectionResetError("reset by peer")

        chosen = [(types.SimpleNamespace(NAME=name, ROWS=[row], SECONDS=1, QUICK_SECONDS=1, run=work), [row])
                  for name, row, work in (("good", CPU, measures), ("bad", FAILED, fails))]
        made = types.SimpleNamespace(quick=True, available={"lb": None}, start_backends=lambda: None,
                                     stop=lambda: None)
        told = self.run.measure(made, chosen)
        self.assertEqual(told.cell(CPU, "lb")["median"], 5)
        self.assertEqual(told.cell(FAILED, "lb")["faults"], ["reset by peer"])

    def test_an_interruption_ends_it_without_a_traceback(self):
        read = unittest.mock.Mock(return_value=types.SimpleNamespace())
        with unittest.mock.patch.object(self.run, "run_mode", unittest.mock.Mock(side_effect=KeyboardInterrupt)), \
                unittest.mock.patch.object(self.run.command_line, "read", read), \
                unittest.mock.patch.object(self.run.signal, "signal"):
            self.assertEqual(self.run.main(), 130)

    def test_a_results_folder_that_cannot_be_made_is_told_at_once(self):
        with tempfile.NamedTemporaryFile() as file, self.assertRaises(SystemExit) as caught:
            self.run.make_results_folder(os.path.join(file.name, "results"))
        self.assertIn("cannot be made: Not a directory", str(caught.exception))


class Publishing(unittest.TestCase):
    def lacking(self, figures=None, **more):
        return report.lacking(results(CHOSEN, {**FIGURES, **(figures or {})}, **more))

    def test_a_whole_comparison_lacks_nothing(self):
        self.assertIsNone(self.lacking())

    def test_without_a_peer_or_with_a_faulty_lb_it_is_not_published(self):
        for peer in ("haproxy", "nghttpx"):
            self.assertEqual(self.lacking(missing=[peer]), peer + " was not measured")
        failed = {"counted": cells(lb=27000, nginx=52000, haproxy=54000, nghttpx="it did not start")}
        self.assertEqual(self.lacking(failed), "nghttpx was not measured")
        without = {key: {name: cell for name, cell in of.items() if name != "nginx"} for key, of in FIGURES.items()}
        self.assertEqual(self.lacking(without), "nginx was not measured")
        self.assertEqual(self.lacking({"counted": cells(lb="3 failures", nginx=1)}), "lb had faults")


if __name__ == "__main__":
    unittest.main()
