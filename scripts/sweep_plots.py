#!/usr/bin/python3
"""Pictures of a sweep.

    scripts/sweep_plots.py DIR [-o OUT] [--result volume_cm3]

Reads DIR/sweep.h5 and writes PNG files to OUT (default: DIR/plots):
  against_PARAMETER.png  the result against each varied value
  map_A_B.png            contours over two listed values, with the line where the zone splits into parts
  histogram.png          the distribution with its 5, 50 and 95 % percentiles (random samples)
  convergence.png        the mean as cases come in, with its sampling error (random samples)
  sobol.png              first-order and total Sobol indices with 95 % intervals (saltelli samples)
  probability.png        three cuts through DIR/probability.hdf with its 5, 50 and 95 % lines
Lists what it wrote. Missing and failed cases are left out.
"""

import argparse
import itertools
import json
import os
import pathlib
import re
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import irezone_hdf  # noqa: E402

LABELS = {
    "volume_cm3": "ablated volume (cm³)",
    "current_A": "current (A)",
    "largest_part_cm3": "largest part (cm³)",
    "parts": "parts of the zone",
}
UNITS = {"spacing": "mm", "exposure": "mm", "diameter": "mm", "voltage": "V", "field": "V/cm", "threshold": "V/cm",
         "low": "S/m", "high": "S/m", "value": "S/m", "center": "V/cm", "width": "V/cm", "size": "mm"}
LEVELS = (0.05, 0.5, 0.95)


class Sweep:
    """The table of a sweep: varied values and results as arrays over the cases that are there."""

    def __init__(self, folder):
        with open_table(folder / "sweep.h5") as file:
            self.sample = text(file.attrs["sample"])
            self.n_strata = int(file.attrs["strata"])
            self.n_random = int(file.attrs["random_parameters"])
            self.runs = int(file.attrs["cases"]) // self.n_strata
            self.values = {key: column(file["parameters"][key]) for key in file["parameters"]}
            self.results = {key: column(file["results"][key]) for key in file["results"]}
            self.statistics = json.loads(text(file["statistics"][()]))
            order = re.findall(r"^\s+[\"']?([\w.\[\]-]+)[\"']?\s*:", text(file["sweep"][()]).split("vary:")[-1], re.M)
        number = self.results["case"].astype(int) - 1
        self.stratum = number // self.runs
        row = number % self.runs
        # Of a saltelli design only A and B are samples of the distributions.
        self.counts = row % (self.n_random + 2) < 2 if self.sample == "saltelli" else np.ones(len(row), bool)
        self.is_random = self.n_random > 0
        self.keys = sorted(self.values, key=lambda k: order.index(k) if k in order else len(order))

    def strata(self):
        """Index, name and statistics of each stratum."""
        for index, entry in enumerate(self.statistics["strata"]):
            name = shown(", ".join(f"{short(k)} = {v}" for k, v in entry["values"].items()))
            yield index, name, entry


def open_table(path):
    """Open a file of the sweep, and say which if it cannot be used."""
    try:
        return irezone_hdf.open_file(path)
    except irezone_hdf.Refused as refused:
        raise irezone_hdf.Refused(f"{path}: {refused}") from refused


def text(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def shown(words):
    """Words of a table for a picture: $ would begin a formula."""
    return irezone_hdf.clean(words).replace("$", r"\$")


def column(dataset):
    """A dataset as numbers, or as words."""
    data = dataset[()]
    return np.array([text(v) for v in data]) if data.dtype.kind == "S" else data


def short(key):
    """The last two words of a key path."""
    return ".".join(key.split(".")[-2:])


def label(key):
    unit = UNITS.get(key.split(".")[-1])
    return shown(f"{short(key)} ({unit})" if unit else short(key))


def file_name(key):
    return re.sub(r"[^\w]+", "_", key).strip("_")


def save(figure, path, written):
    figure.savefig(path, dpi=130, bbox_inches="tight")
    plt.close(figure)
    written.append(path)


def listed(sweep):
    """Numeric parameters with a few repeated values."""
    found = []
    for key in sweep.keys:
        values = sweep.values[key]
        if values.dtype.kind == "f" and 1 < len(np.unique(values)) <= max(2, len(values) // 2):
            found.append(key)
    return found


def plot_against(sweep, result, out, written):
    """One picture per parameter: points for random samples, lines for listed values."""
    y = sweep.results[result]
    lines = listed(sweep)
    for key in sweep.keys:
        x = sweep.values[key]
        figure, axes = plt.subplots(figsize=(5.4, 3.8))
        if sweep.is_random and key not in lines:
            for index, name, _ in sweep.strata():
                chosen = (sweep.stratum == index) & sweep.counts
                axes.plot(x[chosen], y[chosen], ".", ms=4, alpha=0.7, label=name or None)
        elif x.dtype.kind != "f":
            words = np.unique(x)
            axes.boxplot([y[(x == w) & np.isfinite(y)] for w in words], labels=[shown(w) for w in words])
        else:
            others = [k for k in lines if k != key][:1] if not sweep.is_random else []
            groups = np.unique(sweep.values[others[0]]) if others else [None]
            colors = plt.cm.viridis(np.linspace(0, 0.9, len(groups)))
            for group, color in zip(groups, colors):
                chosen = np.ones(len(y), bool) if group is None else sweep.values[others[0]] == group
                points = np.unique(x[chosen])
                mean = [np.nanmean(y[chosen & (x == p)]) if np.isfinite(y[chosen & (x == p)]).any() else np.nan
                        for p in points]
                name = None if group is None else f"{group:g}"
                axes.plot(points, mean, "o-", ms=3.5, color=color, label=name)
                if group is None and sweep.is_random:
                    low = [np.nanpercentile(y[sweep.counts & (x == p)], 5) for p in points]
                    high = [np.nanpercentile(y[sweep.counts & (x == p)], 95) for p in points]
                    axes.fill_between(points, low, high, alpha=0.2, label="5 to 95 %")
            if others:
                axes.legend(title=label(others[0]), fontsize=7, title_fontsize=7)
        axes.set_xlabel(label(key))
        axes.set_ylabel(LABELS.get(result, shown(result)))
        if axes.get_legend() is None and axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=7)
        save(figure, out / f"against_{file_name(key)}.png", written)


def plot_maps(sweep, result, out, written):
    """Contours over every two listed values; other values are averaged over. Where the zone has more than one part, a
    red line is the border."""
    if sweep.is_random:
        return
    for a, b in itertools.combinations(listed(sweep), 2):
        xs, ys = np.unique(sweep.values[a]), np.unique(sweep.values[b])
        if len(xs) < 3 or len(ys) < 3:
            continue
        grid = np.full((2, len(ys), len(xs)), np.nan)
        for (i, y), (j, x) in itertools.product(enumerate(ys), enumerate(xs)):
            chosen = (sweep.values[a] == x) & (sweep.values[b] == y) & np.isfinite(sweep.results[result])
            if chosen.any():
                grid[0, i, j] = sweep.results[result][chosen].mean()
                grid[1, i, j] = (sweep.results["parts"][chosen] > 1).mean()
        figure, axes = plt.subplots(figsize=(6, 4.4))
        filled = axes.contourf(xs, ys, grid[0], 14, cmap="viridis")
        lines = axes.contour(xs, ys, grid[0], 7, colors="white", linewidths=0.6)
        axes.clabel(lines, fontsize=7, fmt="%g")
        if np.nanmin(grid[1]) < 0.5 < np.nanmax(grid[1]):
            axes.contour(xs, ys, grid[1], [0.5], colors="red", linewidths=2)
            axes.plot([], [], color="red", lw=2, label="the zone splits beyond this line" if splits_rightwards(grid[1])
                      else "border of the zone in several parts")
            axes.legend(fontsize=8, loc="upper left")
        split = grid[1] > 0.5
        axes.plot(*np.meshgrid(xs, ys), "k.", ms=1.5, alpha=0.5, ls="none")
        for i, j in zip(*np.nonzero(split)):
            axes.plot(xs[j], ys[i], "rx", ms=4)
        figure.colorbar(filled, label=LABELS.get(result, shown(result)))
        axes.set_xlabel(label(a))
        axes.set_ylabel(label(b))
        save(figure, out / f"map_{file_name(a)}_{file_name(b)}.png", written)


def splits_rightwards(share):
    """Whether the zone is in one part on the left and in several on the right."""
    return np.nanmean(share[:, 0]) < np.nanmean(share[:, -1])


def plot_histogram(sweep, result, out, written):
    entries = [e for e in sweep.strata() if "mean" in e[2].get(result, {})]
    if not entries:
        return
    figure, rows = plt.subplots(len(entries), 1, figsize=(5.6, 2.2 + 1.7 * len(entries)), sharex=True, squeeze=False)
    for (index, name, entry), axes in zip(entries, rows[:, 0]):
        y = sweep.results[result][(sweep.stratum == index) & sweep.counts]
        y = y[np.isfinite(y)]
        axes.hist(y, bins=max(8, int(np.sqrt(len(y)))), color="0.75")
        for key, color in (("percentile_05", "tab:blue"), ("percentile_50", "black"), ("percentile_95", "tab:red")):
            estimate = entry[result][key]
            axes.axvline(estimate["value"], color=color, lw=1.5,
                         label=f"{int(key[-2:])} %: {estimate['value']:.3g} ± {estimate['standard_error']:.2g}")
            axes.axvspan(estimate["low95"], estimate["high95"], color=color, alpha=0.12)
        mean, sd = entry[result]["mean"], entry[result]["standard_deviation"]
        axes.set_title(f"{name + ': ' if name else ''}mean {mean['value']:.4g} ± {mean['standard_error']:.2g}, "
                       f"spread {sd['value']:.3g} ± {sd['standard_error']:.2g}", fontsize=8)
        axes.legend(fontsize=7)
        axes.set_ylabel("cases")
    rows[-1, 0].set_xlabel(LABELS.get(result, shown(result)))
    save(figure, out / "histogram.png", written)


def plot_convergence(sweep, result, out, written):
    if not sweep.is_random:
        return
    figure, axes = plt.subplots(figsize=(5.6, 3.8))
    for index, name, _ in sweep.strata():
        y = sweep.results[result][(sweep.stratum == index) & sweep.counts]
        y = y[np.isfinite(y)]
        if len(y) < 3:
            continue
        n = np.arange(1, len(y) + 1)
        mean = np.cumsum(y) / n
        spread = np.sqrt(np.maximum(np.cumsum(y**2) / n - mean**2, 0) * n / np.maximum(n - 1, 1))
        line, = axes.plot(n[1:], mean[1:], lw=1.2, label=name or None)
        error = 1.96 * spread / np.sqrt(n)
        axes.fill_between(n[1:], (mean - error)[1:], (mean + error)[1:], color=line.get_color(), alpha=0.2)
    axes.set_xlabel("cases")
    axes.set_ylabel(f"mean of {LABELS.get(result, shown(result))}")
    axes.set_title("band: 95 % interval as for independent cases", fontsize=8)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7)
    save(figure, out / "convergence.png", written)


def plot_sobol(sweep, result, out, written):
    entries = [e for e in sweep.strata() if result in e[2].get("sobol_indices", {})]
    if not entries:
        return
    figure, rows = plt.subplots(1, len(entries), figsize=(1.5 + 3.6 * len(entries), 3.8), sharey=True, squeeze=False)
    for (_, name, entry), axes in zip(entries, rows[0]):
        indices = entry["sobol_indices"][result]
        place = np.arange(len(indices))
        for kind, shift, color in (("first", -0.18, "tab:blue"), ("total", 0.18, "tab:orange")):
            value = np.array([i[kind]["value"] for i in indices], float)
            low = np.array([i[kind]["low95"] for i in indices], float)
            high = np.array([i[kind]["high95"] for i in indices], float)
            axes.barh(place + shift, value, 0.34, color=color, label=f"{kind}{'-order' if kind == 'first' else ''}",
                      xerr=[np.maximum(value - low, 0), np.maximum(high - value, 0)], error_kw={"lw": 1})
        axes.set_yticks(place, [shown(i["key"].removeprefix("tissues.")) for i in indices], fontsize=8)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("Sobol index")
        axes.axvline(0, color="0.4", lw=0.6)
    rows[0, 0].invert_yaxis()
    rows[0, 0].legend(fontsize=8)
    save(figure, out / "sobol.png", written)


def plot_probability(sweep, folder, out, written):
    path = folder / "probability.hdf"
    if not path.exists():
        return
    with open_table(path) as file:
        image = file["VTKHDF"]
        origin, spacing = image.attrs["Origin"], image.attrs["Spacing"]
        names = [n for n in image["PointData"] if n != "probability"] or ["probability"]
        arrays = [image["PointData"][n][()] for n in names]
    axis = [origin[d] + spacing[d] * np.arange(arrays[0].shape[2 - d]) for d in range(3)]
    cuts = [(0, 2, 1), (0, 1, 2), (1, 2, 0)]
    titles = [name for _, name, _ in sweep.strata()] if len(names) > 1 else [""]
    figure, rows = plt.subplots(len(arrays), 3, figsize=(11, 3.6 * len(arrays)), squeeze=False, layout="constrained")
    for title, array, row in zip(titles, arrays, rows):
        xyz = array.transpose(2, 1, 0)
        for (a, b, normal), axes in zip(cuts, row):
            # Through the middle of what is ablated in half of the cases, not of the grid.
            inside = np.nonzero((xyz >= 0.5).any(axis=(a, b)))[0]
            at = int(np.median(inside)) if len(inside) else xyz.shape[normal] // 2
            plane = np.take(xyz, at, axis=normal)
            if a > b:
                plane = plane.T
            shown = axes.pcolormesh(axis[a], axis[b], plane.T, cmap="magma_r", vmin=0, vmax=1, shading="nearest")
            if plane.max() > 0.05:
                lines = axes.contour(axis[a], axis[b], plane.T, LEVELS, colors=["tab:cyan", "white", "lime"],
                                     linewidths=1.2)
                axes.clabel(lines, fmt=lambda v: f"{100 * v:g} %", fontsize=7)
            axes.set_aspect("equal")
            axes.set_xlabel("xyz"[a] + " (mm)")
            axes.set_ylabel("xyz"[b] + " (mm)")
            axes.set_title(f"{title + ', ' if title else ''}{'xyz'[normal]} = {axis[normal][at]:g} mm", fontsize=8)
        figure.colorbar(shown, ax=list(row), label="share of cases", shrink=0.8)
    save(figure, out / "probability.png", written)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="folder of a sweep")
    parser.add_argument("-o", "--out", type=pathlib.Path, help="where the pictures go (default: FOLDER/plots)")
    parser.add_argument("--result", default="volume_cm3", help="column of the results (default: volume_cm3)")
    arguments = parser.parse_args()
    sweep = Sweep(arguments.folder)
    if arguments.result not in sweep.results or sweep.results[arguments.result].dtype.kind != "f":
        names = ", ".join(k for k, v in sweep.results.items() if v.dtype.kind == "f")
        fail(f"no result {arguments.result}; there are {names}", 2)
    out = arguments.out or arguments.folder / "plots"
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for plot in (plot_against, plot_maps, plot_histogram, plot_convergence, plot_sobol):
        plot(sweep, arguments.result, out, written)
    plot_probability(sweep, arguments.folder, out, written)
    for path in written:
        print(path)


def fail(message, code):
    """End with one line."""
    print(irezone_hdf.clean(f"sweep_plots.py: {message}"), file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    try:
        main()
    except irezone_hdf.Refused as refused:
        fail(str(refused), 3)
    except OSError as problem:
        fail(f"{problem.filename}: cannot be written: {problem.strerror}", 5)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError, MemoryError) as problem:
        fail(f"the tables of the sweep are damaged ({type(problem).__name__}: {problem})", 3)
