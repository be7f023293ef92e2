#!/usr/bin/env python3
"""Tests scripts/plot_soak.py."""

import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "plot_soak.py")
HEAD = "seconds,outages,answers,resident_kb,private_kb,mappings,descriptors,threads,random_p50_us,random_p99_us"
SVG = "{http://www.w3.org/2000/svg}"


def plot(lines):
    with tempfile.TemporaryDirectory() as folder:
        points, drawing = os.path.join(folder, "points.csv"), os.path.join(folder, "soak.svg")
        with open(points, "w", encoding="utf-8") as file:
            file.write("\n".join([HEAD, *lines]) + "\n")
        run = subprocess.run([sys.executable, "-B", SCRIPT, points, drawing], capture_output=True, text=True)
        if run.returncode != 0:
            return run, None
        return run, xml.etree.ElementTree.parse(drawing).getroot()


def point(seconds, outages):
    return f"{seconds},{outages},{seconds * 1000},20000,9000,200,40,20,{30 + seconds / 100:.1f},90.0"


class PlotSoak(unittest.TestCase):
    def test_draws_each_curve_with_all_points(self):
        _, root = plot([point(seconds, 0) for seconds in range(0, 3600, 5)])
        curves = root.findall(SVG + "polyline")
        self.assertEqual(len(curves), 5)
        for curve in curves:
            self.assertEqual(len(curve.get("points").split()), 720)

    def test_stays_inside_the_drawing(self):
        _, root = plot([point(seconds, seconds // 50) for seconds in range(0, 100, 5)])
        _, _, width, height = map(float, root.get("viewBox").split())
        for curve in root.findall(SVG + "polyline"):
            for place in curve.get("points").split():
                x, y = map(float, place.split(","))
                self.assertTrue(0 <= x <= width and 0 <= y <= height, place)

    def test_marks_each_end_of_the_service_in_each_diagram(self):
        def grey(outages):
            _, root = plot([point(i, n) for i, n in enumerate(outages)])
            return sum(line.get("stroke") == "#999999" for line in root.findall(SVG + "line"))

        self.assertEqual(grey([0, 0, 0]), 0)
        self.assertEqual(grey([0, 1, 1, 2]), 2 * 3)

    def test_says_what_is_missing(self):
        run, _ = plot([point(0, 0)])
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("fewer than two points", run.stderr)


if __name__ == "__main__":
    unittest.main()
