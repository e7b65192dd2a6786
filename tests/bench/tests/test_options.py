# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import os
import tempfile
import unittest
import unittest.mock

from surroundings import CHOSEN, FIGURES, cells, results

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
        self.assertIn("lb, nginx, haproxy, not 'apache'", self.refusal("--only", "lb,apache"))

    def test_lists_may_have_spaces(self):
        read = options.read("test", ["--work", "idle, calls", "--only", "lb, nginx"])
        self.assertEqual((read.work, read.only), (["idle", "calls"], ["lb", "nginx"]))

    def test_a_folder_that_balancers_cannot_be_told_of_is_refused(self):
        for folder in ("/tmp/a b", "/tmp/a,b", "/tmp/a'b", '/tmp/a"b', "/tmp/a;b", "/tmp/ä"):
            self.assertIn("--out", self.refusal("--out", folder))
        options.read("test", ["--out", "/tmp/a-b_c.d/1"])


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


class Publishing(unittest.TestCase):
    def lacking(self, figures=None, **more):
        return report.lacking(results(CHOSEN, {**FIGURES, **(figures or {})}, **more))

    def test_a_whole_comparison_lacks_nothing(self):
        self.assertIsNone(self.lacking())

    def test_without_a_peer_or_with_a_faulty_lb_it_is_not_published(self):
        self.assertEqual(self.lacking(missing=["haproxy"]), "haproxy was not measured")
        without = {key: {name: cell for name, cell in of.items() if name != "nginx"} for key, of in FIGURES.items()}
        self.assertEqual(self.lacking(without), "nginx was not measured")
        self.assertEqual(self.lacking({"counted": cells(lb="3 failures", nginx=1)}), "lb had faults")


if __name__ == "__main__":
    unittest.main()
