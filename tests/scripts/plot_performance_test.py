#!/usr/bin/env python3
"""Tests scripts/plot_performance.py."""

import os
import sys
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
import plot_performance  # noqa: E402


def run(name, c_p50, **more):
    """One benchmark run as Google Benchmark writes it."""
    made = {"run_name": name + "/iterations:3/manual_time", "run_type": "iteration", "c_p50": c_p50}
    for variant in ("a", "b", "c_inplace", "d"):
        made[variant + "_p50"] = c_p50 / 2
    return {**made, **more}


def document():
    aes = [run(f"aes_{way}/{size}", 500.0 + size) for way in ("encrypt", "decrypt") for size in (64, 1024, 65502)]
    pqc = [run("mlkem768_decaps", 30000.0), run("mldsa65_sign", 600000.0)]
    one = [run(f"speed/one_processor/{size}", 700.0 + size / 4, b_one_p50=2000.0, c_one_p50=2500.0) for size in (64, 65502)]
    many = [run(f"speed/{family}/{count}", 600.0) for family in ("keys", "sessions") for count in (1, 256)]
    return {"context": {"num_cpus": 2, "host_name": "secret-name"}, "benchmarks": aes + pqc + one + many}


class BestRuns(unittest.TestCase):
    def test_is_the_one_with_the_lowest_median_of_the_service(self):
        best = plot_performance.best_runs({"benchmarks": [run("ping", 9.0), run("ping", 3.0), run("ping", 5.0)]})
        self.assertEqual(best["ping"]["c_p50"], 3.0)

    def test_leaves_out_aggregates_failures_and_what_measures_no_service(self):
        runs = [
            run("ping", 1.0, run_type="aggregate"),
            run("ping", 1.0, error_occurred=True),
            {"run_name": "start", "run_type": "iteration", "ready_ms_p50": 90.0},
        ]
        self.assertEqual(plot_performance.best_runs({"benchmarks": runs}), {})

    def test_keeps_the_size_in_the_name(self):
        self.assertEqual(list(plot_performance.best_runs({"benchmarks": [run("aes_encrypt/64", 1.0)]})), ["aes_encrypt/64"])


class Drawings(unittest.TestCase):
    def setUp(self):
        self.best = plot_performance.best_runs(document())

    def test_are_well_formed_and_name_every_variant(self):
        drawing = plot_performance.aes_plot(self.best)
        xml.etree.ElementTree.fromstring(drawing)
        for name in plot_performance.NAMES.values():
            self.assertIn(name, drawing)

    def test_show_each_size_and_parameter_set(self):
        self.assertIn(">64 KB<", plot_performance.aes_plot(self.best))
        drawing = plot_performance.pqc_plot(self.best)
        xml.etree.ElementTree.fromstring(drawing)
        self.assertIn("ML-KEM-768 decaps", drawing)
        self.assertIn("ML-DSA-65 sign", drawing)

    def test_show_one_processor_and_the_numbers_of_keys_and_sessions(self):
        drawing = plot_performance.speed_plot(self.best)
        xml.etree.ElementTree.fromstring(drawing)
        for name in plot_performance.SPEED_NAMES.values():
            self.assertIn(name, drawing)
        self.assertIn(">256<", drawing)

    def test_refuse_a_run_without_figures(self):
        with self.assertRaises(ValueError):
            plot_performance.aes_plot({})
        with self.assertRaises(ValueError):
            plot_performance.pqc_plot({})
        with self.assertRaises(ValueError):
            plot_performance.speed_plot({})


class Page(unittest.TestCase):
    def test_replaces_what_is_between_the_markers_only(self):
        text = f"before\n{plot_performance.BEGIN}\nold\n{plot_performance.END}\nafter\n"
        page = plot_performance.replace_figures(text, "new")
        self.assertEqual(page, f"before\n{plot_performance.BEGIN}\n\nnew\n\n{plot_performance.END}\nafter\n")

    def test_names_the_kind_of_machine_and_not_the_machine(self):
        cpuinfo = "model name\t: Some CPU\nflags\t\t: fpu hypervisor\n"
        text = plot_performance.machine(document(), cpuinfo, "6.1.0-47-amd64")
        self.assertEqual(text, "Measured on: Some CPU, 2 processors, virtual machine, Linux 6.1.")


if __name__ == "__main__":
    unittest.main()
