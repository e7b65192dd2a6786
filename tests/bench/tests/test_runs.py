# SPDX-License-Identifier: Apache-2.0
import json
import os
import tempfile
import unittest
import unittest.mock

import surroundings
from surroundings import CPU, FAILED

import balancers
import bench
import board
import http2_balancers
import names
import pairs
import rows
import workloads
from fault import Fault

RESULT = {"units": 10, "failures": 0, "first_failure": "", "resumed": 0, "reopened": 0, "tls": "TLSv1.3",
          "cipher": "TLS_AES_256_GCM_SHA384", "body_bytes": 0}


class Results(unittest.TestCase):
    def faults(self, work=workloads.KEPT, **changes):
        return workloads.faults(work, {**RESULT, **changes}, 10)

    def test_a_good_one_has_no_faults(self):
        self.assertEqual(self.faults(), [])
        self.assertEqual(self.faults(cipher="ECDHE-ECDSA-AES256-GCM-SHA384"), [])
        self.assertEqual(self.faults(workloads.RESUMED, resumed=10), [])

    def test_whatever_was_not_the_work_is_a_fault(self):
        for changes in ({"failures": 1}, {"units": 9}, {"tls": "TLSv1.2"}, {"cipher": "TLS_AES_128_GCM_SHA256"},
                        {"reopened": 1}, {"body_bytes": 5}):
            self.assertEqual(len(self.faults(**changes)), 1, changes)
        self.assertEqual(self.faults(workloads.RESUMED, resumed=9), ["only 9 of 10 resumed"])
        self.assertEqual(self.faults(workloads.FULL, resumed=1), ["1 resumed"])

    def test_streams_are_asked_for_where_http2_is_spoken_and_nowhere_else(self):
        self.assertEqual(workloads.HTTP2_MANY.arguments(1)[-2:], ["--http2", "100"])
        self.assertEqual(workloads.HTTP2_ONE.arguments(1)[-2:], ["--http2", "1"])
        self.assertNotIn("--http2", workloads.KEPT.arguments(1))

    def test_repetitions_take_turns_in_being_first(self):
        order = [(repetition, one) for repetition, _, one in workloads.interleaved(2, "w", "abc")]
        self.assertEqual(order, [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a")])


class Contender:
    def __init__(self, name, fault=None):
        self.name = self.column = name
        self.fault = fault
        self.stopped = False

    def stop(self):
        self.stopped = True


class Running(unittest.TestCase):
    def test_one_that_does_not_start_is_told_of_and_the_others_run(self):
        made = bench.Bench.__new__(bench.Bench)

        def start(contender, *_):
            if contender.fault:
                raise Fault(contender.fault)

        made.start = start
        contenders = [Contender("lb"), Contender("nginx", "nginx did not start"), Contender("haproxy")]
        told = board.Board(surroundings.QUIET)
        with made.running(contenders, told, [CPU, FAILED], proven=False) as running:
            self.assertEqual([one.name for one in running], ["lb", "haproxy"])
        self.assertTrue(all(one.stopped for one in contenders))
        self.assertEqual(told.cells(FAILED)["nginx"]["faults"], ["nginx did not start"])
        self.assertEqual(list(told.cells(CPU)), ["nginx"])

    def test_a_program_that_ends_at_once_is_a_fault_with_what_it_said(self):
        balancer = balancers.Balancer("odd", "/bin/sh", "", ["{program}", "-c", "echo no such thing >&2"], "")
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(Fault) as caught:
            balancer.start(folder, folder, (1, 2), None, 10)
        self.assertIn("odd did not start listening: no such thing", str(caught.exception))


class Pairs(unittest.TestCase):
    """Runs whose costs are written down; the machine becomes slower from run to run."""

    def measure(self, costs, fault=None):
        made = bench.Bench.__new__(bench.Bench)
        made.repetitions, made.quick = 2, False
        row, base = rows.Row("row", "with", "µs"), rows.Row("base", "without", "µs")
        more = rows.Row("more", "more", "more µs", (rows.AtMost(1.0),))
        told = board.Board(surroundings.QUIET)
        drift = iter(range(1000))

        def run(_, balancer, __, units):
            return {"cpu_us": costs[balancer.name] + 0.01 * next(drift),
                    "faults": [fault] if fault and balancer.name == "with" else []}

        contestants = []
        for one, name in ((row, "with"), (base, "without")):
            contender = Contender(name)
            contender.column = "lb"
            contestants.append(pairs.Contestant(one, contender, workloads.KEPT))
        with unittest.mock.patch.object(workloads, "run", run):
            pairs.compare(told, pairs.measure(made, told, contestants), row, base, more)
        return told.cell(more, "lb")

    def test_neighbours_are_compared_so_that_a_drift_does_not_count(self):
        cell = self.measure({"with": 20.5, "without": 20.0})
        self.assertAlmostEqual(cell["median"], 0.5, delta=0.02)
        self.assertEqual(cell["count"], 2)

    def test_a_fault_in_one_of_them_leaves_no_difference(self):
        cell = self.measure({"with": 20.5, "without": 20.0}, "it failed")
        self.assertEqual(cell["count"], 0)
        self.assertTrue(cell["faults"])


class Templates(unittest.TestCase):
    def filled(self, name, template, **settings):
        places = {"port": 4433, "certificates": "/c", "backends": (1, 2), "folder": "/f", "connections": 10,
                  "descriptors": 20, **balancers.SETTINGS.get(name, {}), **settings}
        return template.format(**places)

    def test_every_name_of_many_is_told_to_each_balancer(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, template in (("lb", balancers.LB), ("nginx", balancers.NGINX), ("haproxy", balancers.HAPROXY)):
                text = self.filled(name, names.TEMPLATES[name](template, folder, 3))
                if name == "haproxy":
                    with open(os.path.join(folder, "crt-list-3"), encoding="ascii") as file:
                        text += file.read()
                for i in range(3):
                    self.assertIn(f"n{i}.example.com", text)
                    self.assertIn(f"{folder}/{i}.crt", text)
                self.assertNotIn("/c/server.", text)
                self.assertEqual(text.count("{"), text.count("}"))

    def test_logs_and_best_settings_name_what_the_balancer_has(self):
        for name, settings in balancers.COMBINED_LOG.items():
            self.assertLessEqual(set(settings), set(balancers.SETTINGS[name]))
        self.assertLessEqual(set(balancers.JSON_LOG), set(balancers.SETTINGS["lb"]))

    def test_best_settings_stand_in_columns_of_their_own_and_are_told_to_the_peer(self):
        made = [balancers.Balancer(name, name, template, [], "", balancers.SETTINGS[name]) for name, template in
                (("lb", balancers.LB), ("nginx", balancers.NGINX), ("haproxy", balancers.HAPROXY))]
        for kind, words in (("sessions", ("builtin:20000", "no-tls-tickets")),
                            ("buffers", ("proxy_busy_buffers_size 128k;", "tune.bufsize 131072"))):
            found = balancers.with_best({one.name: one for one in made}, kind)
            self.assertEqual([one.column for one in found], ["lb", *rows.PEERS_EVERYWHERE, *rows.BEST])
            for one, word, peer in zip(found[3:], words, rows.PEERS_EVERYWHERE):
                self.assertIn(word, self.filled(peer, one.template, **one.settings))
                self.assertNotIn(word, self.filled(peer, one.template))

    def test_with_http2_peers_are_told_of_as_many_streams_and_links(self):
        made = {name: balancers.Balancer(name, name, "", [], "", balancers.SETTINGS.get(name, http2_balancers.SETTINGS))
                for name in ("lb", *rows.PEERS)}
        found = http2_balancers.made(made)
        self.assertEqual([one.column for one in found], list(made))
        self.assertTrue(all(one.http2 and not made[one.column].http2 for one in found))
        for one, words in zip(found, (("idle_links = 1024",), ("ssl http2", "streams 100", "keepalive 2048"),
                                      ("alpn h2", "streams 100", "pool-max-conn 1024"),
                                      ("verify-client=yes", "max-concurrent-streams=100"))):
            text = self.filled(one.column, one.template, **one.settings)
            for word in words:
                self.assertIn(word, text)

    def test_results_can_be_kept_as_json(self):
        figures = {row.key: surroundings.FIGURES[row.key] for _, some in surroundings.CHOSEN for row in some}
        json.dumps(surroundings.results(surroundings.CHOSEN, figures))


if __name__ == "__main__":
    unittest.main()
