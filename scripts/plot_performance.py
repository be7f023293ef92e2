#!/usr/bin/env python3
"""Puts a run of wvds_bench into docs/performance.md.

usage: plot_performance.py FIGURES.json TABLES.md [DOCS FOLDER]

FIGURES.json is Google Benchmark's output (--benchmark_out), TABLES.md the one of --summary. Draws
performance-aes.svg, performance-pqc.svg and performance-speed.svg, and replaces what stands between the markers in
performance.md by the description of this machine and the tables.
"""

import json
import math
import os
import platform
import re
import sys
from xml.sax.saxutils import escape

PICTURES = """![Latency of AES-256-GCM by size](performance-aes.svg)

![Latency of ML-KEM and ML-DSA](performance-pqc.svg)

![One processor or two, many keys and sessions](performance-speed.svg)"""
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
# Okabe and Ito's colours, which people with any kind of colour vision can tell apart
COLOURS = {"a": "#0072B2", "b": "#999999", "c": "#D55E00", "c_inplace": "#E69F00", "d": "#009E73"}
SPEED_COLOURS = {"b": "#999999", "b_one": "#56B4E9", "c": "#D55E00", "c_one": "#0072B2", "keys": "#D55E00", "sessions": "#009E73"}
SPEED_NAMES = {
    "b": "bare hand-over, two processors",
    "b_one": "bare hand-over, one",
    "c": "service, two processors",
    "c_one": "service, one",
    "keys": "by number of keys",
    "sessions": "by number of sessions",
}
NAMES = {
    "a": "(a) in process",
    "b": "(b) bare hand-over",
    "c": "(c) service",
    "c_inplace": "(c) service, in place",
    "d": "(d) pipelined, per request",
}
INK, GRID = "#222222", "#dddddd"


def best_runs(document):
    """Counters of each benchmark's best run: the one with the lowest median of the service."""
    best = {}
    for run in document["benchmarks"]:
        if run.get("run_type") != "iteration" or run.get("error_occurred") or "c_p50" not in run:
            continue
        name = run["run_name"].split("/iterations:")[0]
        if name not in best or run["c_p50"] < best[name]["c_p50"]:
            best[name] = run
    return best


class Svg:
    """A drawing that grows by its elements."""

    def __init__(self, width, height, title):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'font-family="Helvetica, Arial, sans-serif" font-size="13" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        ]

    def line(self, x1, y1, x2, y2, colour, width=1.0):
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'
        )

    def path(self, points, colour):
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        for x, y in points:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')

    def bar(self, x, y, width, height, colour):
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" fill="{colour}"/>'
        )

    def text(self, x, y, content, anchor="start", size=13, weight="normal", colour=INK):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
            f'fill="{colour}">{escape(content)}</text>'
        )

    def finish(self):
        return "\n".join(self.parts + ["</svg>"]) + "\n"


def label(microseconds):
    if microseconds < 10:
        return f"{microseconds:.2f}"
    return f"{microseconds:.1f}" if microseconds < 100 else f"{microseconds:.0f}"


def legend(svg, variants, x, y, colours=None, names=None):
    names = names or NAMES
    for variant in variants:
        svg.bar(x, y - 10, 18, 10, (colours or COLOURS)[variant])
        svg.text(x + 24, y, names[variant])
        x += 40 + 7.2 * len(names[variant])


def size_name(size):
    if size < 1024:
        return f"{size} B"
    return f"{round(size / 1024)} KB"


def decades(low, high):
    """Whole powers of ten around the values."""
    return 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))


def draw_panel(svg, left, top, width, height, title, sizes, series, low, high, *,
               colours=None, name=size_name, axis="bytes a request, median in microseconds (both logarithmic)"):
    """One diagram of latency over size, both logarithmic."""
    colours = colours or COLOURS

    def x_of(size):
        return left + width * (math.log2(size) - math.log2(sizes[0])) / (math.log2(sizes[-1]) - math.log2(sizes[0]))

    def y_of(value):
        return top + height * (math.log10(high) - math.log10(value)) / (math.log10(high) - math.log10(low))

    svg.text(left + width / 2, top - 14, title, "middle", 15, "bold")
    decade = low
    while decade <= high * 1.001:
        svg.line(left, y_of(decade), left + width, y_of(decade), GRID)
        svg.text(left - 8, y_of(decade) + 4, f"{decade:g}", "end")
        decade *= 10
    for size in sizes:
        svg.line(x_of(size), top, x_of(size), top + height, GRID)
        svg.text(x_of(size), top + height + 20, name(size), "middle")
    svg.text(left, top + height + 40, axis)
    for variant, values in series.items():
        svg.path([(x_of(size), y_of(value)) for size, value in values], colours[variant])


def aes_plot(best):
    variants = list(COLOURS)
    panels = {}
    for operation, title in (("aes_encrypt", "AES-256-GCM encryption"), ("aes_decrypt", "AES-256-GCM decryption")):
        runs = sorted((int(n.split("/")[1]), run) for n, run in best.items() if n.startswith(operation + "/"))
        panels[title] = {v: [(size, run[v + "_p50"] / 1000) for size, run in runs] for v in variants}
    values = [value for series in panels.values() for points in series.values() for _, value in points]
    if not values:
        raise ValueError("no AES figures in this run")
    low, high = decades(min(values), max(values))
    svg = Svg(980, 440, "Latency of AES-256-GCM by size")
    for i, (title, series) in enumerate(panels.items()):
        sizes = sorted({size for points in series.values() for size, _ in points})
        draw_panel(svg, 70 + i * 480, 60, 400, 280, title, sizes, series, low, high)
    legend(svg, variants, 60, 425)
    return svg.finish()


def speed_runs(best, family):
    """(number in the name, run) of a family, in order."""
    prefix = f"speed/{family}/"
    return sorted((int(name[len(prefix):]), run) for name, run in best.items() if name.startswith(prefix))


def speed_plot(best):
    handed = speed_runs(best, "one_processor")
    counts = {family: speed_runs(best, family) for family in ("keys", "sessions")}
    if not handed or not all(counts.values()):
        raise ValueError("no figures of one processor, of keys or of sessions in this run")
    by_size = {v: [(size, run[v + "_p50"] / 1000) for size, run in handed] for v in ("b", "b_one", "c", "c_one")}
    by_count = {v: [(count, run["c_p50"] / 1000) for count, run in runs] for v, runs in counts.items()}
    svg = Svg(980, 470, "One processor or two, many keys and sessions")
    panels = (
        ("Client and worker on one processor or on two", by_size, 70, size_name, "bytes a request, median in microseconds"),
        ("64-byte encryption among many", by_count, 550, str, "how many there are, median in microseconds"),
    )
    for title, series, left, name, axis in panels:
        values = [value for points in series.values() for _, value in points]
        low, high = decades(min(values), max(values))
        places = sorted({place for points in series.values() for place, _ in points})
        draw_panel(svg, left, 60, 400, 280, title, places, series, low, high,
                   colours=SPEED_COLOURS, name=name, axis=axis + " (both logarithmic)")
    legend(svg, list(by_size), 20, 425, SPEED_COLOURS, SPEED_NAMES)
    legend(svg, list(by_count), 20, 450, SPEED_COLOURS, SPEED_NAMES)
    return svg.finish()


def bar_rows(best, family):
    """(operation, parameter set, run) in the order of the table."""
    return [(name.split("_", 1)[1].replace("_", " "), name.split("_", 1)[0], run)
            for name, run in best.items() if name.startswith(family)]


def draw_bars(svg, rows, left, top, width, title):
    variants = ["a", "c", "c_inplace"]
    longest = max(run[v + "_p50"] for _, _, run in rows for v in variants) / 1000
    svg.text(left, top - 12, title, weight="bold", size=15)
    y = top
    for operation, parameter_set, run in rows:
        name = re.sub(r"(mldsa|mlkem)", lambda m: {"mldsa": "ML-DSA-", "mlkem": "ML-KEM-"}[m.group()], parameter_set)
        svg.text(left + 205, y + 22, f"{name} {operation}", "end")
        for i, variant in enumerate(variants):
            value = run[variant + "_p50"] / 1000
            svg.bar(left + 215, y + 3 + i * 10, (width - 290) * value / longest, 9, COLOURS[variant])
            svg.text(left + 220 + (width - 290) * value / longest, y + 11 + i * 10, label(value), size=10)
        y += 38
    return y


def pqc_plot(best):
    kem, dsa = bar_rows(best, "mlkem"), bar_rows(best, "mldsa")
    if not kem or not dsa:
        raise ValueError("no ML-KEM or no ML-DSA figures in this run")
    height = 100 + 38 * max(len(kem), len(dsa))
    svg = Svg(1180, height, "Latency of ML-KEM and ML-DSA")
    draw_bars(svg, kem, 10, 40, 580, "ML-KEM, median in microseconds")
    draw_bars(svg, dsa, 595, 40, 580, "ML-DSA, median in microseconds")
    legend(svg, ["a", "c", "c_inplace"], 60, height - 15)
    return svg.finish()


def cpu_model(cpuinfo):
    found = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.M)
    return found.group(1).strip() if found else platform.machine()


def machine(document, cpuinfo, release):
    """The machine in one sentence, without anything that names it."""
    virtual = ", virtual machine" if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.M) else ""
    kernel = ".".join(release.split(".")[:2])
    count = document["context"]["num_cpus"]
    return f"Measured on: {cpu_model(cpuinfo)}, {count} processors{virtual}, Linux {kernel}."


def replace_figures(text, figures):
    before, rest = text.split(BEGIN)
    return before + BEGIN + "\n\n" + figures.strip() + "\n\n" + END + rest.split(END)[1]


def main(arguments):
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    docs = arguments[2] if len(arguments) == 3 else os.path.join(os.path.dirname(__file__), "..", "docs")
    with open(arguments[0], encoding="utf-8") as file:
        document = json.load(file)
    with open(arguments[1], encoding="utf-8") as file:
        tables = file.read()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        cpuinfo = file.read()
    best = best_runs(document)
    drawings = {"aes": aes_plot(best), "pqc": pqc_plot(best), "speed": speed_plot(best)}
    for name, drawing in drawings.items():
        with open(os.path.join(docs, f"performance-{name}.svg"), "w", encoding="utf-8") as file:
            file.write(drawing)
    page = os.path.join(docs, "performance.md")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    with open(page, "w", encoding="utf-8") as file:
        sentence = machine(document, cpuinfo, platform.release())
        file.write(replace_figures(text, "\n\n".join([PICTURES, sentence, tables])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
