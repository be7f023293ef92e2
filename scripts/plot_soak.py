#!/usr/bin/env python3
"""Draws a soak: memory, descriptors and latencies of the service over the time.

usage: plot_soak.py POINTS.csv DRAWING.svg

POINTS.csv is what tests/soak/soak.sh leaves in its folder.
"""

import csv
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from plot_performance import GRID, Svg, decades  # noqa: E402

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00")  # Okabe and Ito
OUTAGE = "#999999"
WIDTH, LEFT, PANEL, GAP = 980, 70, 150, 80


def read_points(path):
    with open(path, encoding="utf-8") as file:
        points = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    if len(points) < 2:
        raise ValueError(f"{path}: fewer than two points")
    return points


def nice_step(span, most):
    """The smallest of 1, 2, 5 times a power of ten that cuts the span into at most so many steps."""
    power = 10 ** math.floor(math.log10(span / most))
    return next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= most)


class Panel:
    """One diagram over the time of all points."""

    def __init__(self, svg, number, title, points, low, high, logarithmic=False):
        self.svg, self.points, self.logarithmic = svg, points, logarithmic
        self.top = 50 + number * (PANEL + GAP)
        self.low, self.high = (math.log10(low), math.log10(high)) if logarithmic else (low, high)
        svg.text(LEFT, self.top - 12, title, weight="bold", size=15)
        self.grid()

    def x(self, seconds):
        return LEFT + (WIDTH - LEFT - 20) * seconds / self.points[-1]["seconds"]

    def y(self, value):
        value = math.log10(max(value, 1e-9)) if self.logarithmic else value
        return self.top + PANEL * (self.high - value) / (self.high - self.low)

    def grid(self):
        step = 1 if self.logarithmic else nice_step(self.high - self.low, 5)
        for i in range(math.ceil(self.low / step), math.floor(self.high / step + 1e-9) + 1):
            value = 10**i if self.logarithmic else i * step
            self.svg.line(LEFT, self.y(value), WIDTH - 20, self.y(value), GRID)
            self.svg.text(LEFT - 8, self.y(value) + 4, f"{value:g}", "end")
        minutes = self.points[-1]["seconds"] / 60
        step = nice_step(minutes, 12)
        for i in range(math.floor(minutes / step) + 1):
            self.svg.text(self.x(i * step * 60), self.top + PANEL + 18, f"{i * step:g}", "middle")
        self.svg.text(LEFT, self.top + PANEL + 36, "minutes; a grey line: the service was ended and started again", size=11)
        for before, after in zip(self.points, self.points[1:]):
            if after["outages"] != before["outages"]:
                self.svg.line(self.x(after["seconds"]), self.top, self.x(after["seconds"]), self.top + PANEL, OUTAGE, 1.5)

    def curve(self, column, colour, scale=1.0):
        seen = [(p["seconds"], p[column] * scale) for p in self.points if p[column] > 0]
        text = " ".join(f"{self.x(at):.1f},{self.y(value):.1f}" for at, value in seen)
        self.svg.parts.append(f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="1.5"/>')

    def legend(self, entries):
        x = WIDTH - 20
        for name, colour in reversed(entries):
            x -= 7.2 * len(name) + 34
            self.svg.bar(x, self.top - 22, 18, 10, colour)
            self.svg.text(x + 24, self.top - 12, name, size=12)


def largest(points, columns):
    return max(p[column] for p in points for column in columns)


def draw(points):
    svg = Svg(WIDTH, 50 + 3 * (PANEL + GAP), "Memory, descriptors and latencies of the service over a soak")
    memory = Panel(svg, 0, "Memory, MB", points, 0, largest(points, ["resident_kb"]) / 1024 * 1.1)
    memory.curve("resident_kb", COLOURS[0], 1 / 1024)
    memory.curve("private_kb", COLOURS[1], 1 / 1024)
    memory.legend([("resident", COLOURS[0]), ("without shared regions", COLOURS[1])])
    held = Panel(svg, 1, "Descriptors and mappings", points, 0, largest(points, ["descriptors", "mappings"]) * 1.1)
    held.curve("descriptors", COLOURS[0])
    held.curve("mappings", COLOURS[1])
    held.legend([("descriptors", COLOURS[0]), ("mappings", COLOURS[1])])
    names = [column[: -len("_p50_us")] for column in points[0] if column.endswith("_p50_us")]
    values = [p[f"{name}_p50_us"] for p in points for name in names if p[f"{name}_p50_us"] > 0]
    latency = Panel(svg, 2, "Latency in µs, median", points, *decades(min(values), max(values)), logarithmic=True)
    for name, colour in zip(names, COLOURS):
        latency.curve(f"{name}_p50_us", colour)
    latency.legend([(name.replace("_", " "), colour) for name, colour in zip(names, COLOURS)])
    return svg.finish()


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    drawing = draw(read_points(arguments[0]))
    with open(arguments[1], "w", encoding="utf-8") as file:
        file.write(drawing)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
