#!/usr/bin/python3
"""Pictures of a sweep.

    scripts/sweep_plots.py DIR [-o OUT] [--result COLUMN] [--format png|svg|pdf]

Reads DIR/sweep.h5 and writes pictures to OUT (default: DIR/plots). COLUMN is any column of numbers (default: volume_cm3); the names
of pictures of another one end with it.
  against_PARAMETER  the result against each varied value: points per stratum for random samples, lines for listed values
  map_A_B            contours over two listed values, with the line where the zone splits into parts
  histogram          the distribution with its 5, 50 and 95 % percentiles (random samples)
  convergence        the mean as cases come in, with its sampling error (random samples)
  sobol              first-order and total Sobol indices with 95 % intervals (saltelli samples)
  probability        three cuts through DIR/probability.hdf with its 5, 50 and 95 % lines
Lists what it wrote. Missing and failed cases are left out.
"""

import argparse
import itertools
import json
import os
import pathlib
import re
import signal
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
# Units of results, by how their names end; of varied values, by the end of their key path.
RESULT_UNITS = {"_cm3": "cm³", "_A": "A", "_V": "V", "_mm": "mm", "_ohm": "Ω", "_C": "°C", "_J": "J", "_W": "W", "_s": "s",
                "_percent": "%", "_V_per_cm": "V/cm", "_MB": "MB", "seconds": "s"}
KEY_UNITS = (
    (r"sigma\.(low|high|value)", "S/m"), (r"sigma\.(center|width|from|to)", "V/cm"), (r"sigma\.b", "cm/V"),
    (r"threshold", "V/cm"), (r"pulses.*\.voltage|max_voltage", "V"), (r"pulses.*\.field", "V/cm"), (r"pulses.*\.width", "µs"),
    (r"pulses.*\.rate", "Hz"), (r"(min|max)_width", "µs"), (r"max_current", "A"), (r"mesh\.accuracy", "%"),
    (r"(spacing|exposure|diameter|gap|size|scale|step|height|thickness|width|center(\[\d\])?|tip(\[\d\])?)", "mm"),
    (r"density", "kg/m³"), (r"heat_capacity", "J/(kg K)"), (r"thermal_conductivity", "W/(m K)"), (r"perfusion", "1/s"),
    (r"metabolic_heat", "W/m³"), (r"temperature_coefficient", "%/K"), (r"heat\.heart_rate", "1/min"), (r"death\.(ec0|a0|asymptote)", "V/cm"),
    (r"heat\.(recharge|gap|cooling|step)", "s"), (r"heat\.(body|initial)[a-z_]*", "°C"),
)
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
            order = [text(key) for key in file["varied"][()]] if "varied" in file else sorted(self.values)
        number = self.results["case"].astype(int) - 1
        self.stratum = number // self.runs
        row = number % self.runs
        # Of a saltelli design only A and B are samples of the distributions.
        self.counts = row % (self.n_random + 2) < 2 if self.sample == "saltelli" else np.ones(len(row), bool)
        self.is_random = self.n_random > 0
        self.keys = [key for key in (key.replace("/", "_") for key in order) if key in self.values]
        # Under a random design the strata are the combinations of the listed values.
        listed = self.statistics["strata"][0]["values"] if self.is_random else self.keys
        self.listed = [key for key in self.keys if key in listed]
        self.short = short_names(self.keys)

    def strata(self):
        """Index, name and statistics of each stratum."""
        for index, entry in enumerate(self.statistics["strata"]):
            name = shown(", ".join(f"{self.short.get(k, k)} = {v} {unit(k)}".rstrip() for k, v in entry["values"].items()))
            yield index, name, entry

    def label(self, key):
        """A varied value on an axis."""
        return shown(f"{key} ({unit(key)})" if unit(key) else key)


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
    return np.array([text(v) for v in data], dtype=str) if data.dtype.kind in "SO" else data


def short_names(keys):
    """The shortest ends of key paths that tell them apart; of a tissue's value always with the tissue."""
    names = {}
    for key in keys:
        words = key.split(".")
        for n in range(min(2, len(words)), len(words) + 1):
            names[key] = ".".join(words[-n:])
            if sum(("." + other).endswith("." + names[key]) for other in keys) == 1:
                break
        if words[0] == "tissues":
            names[key] = ".".join(words[1:])
    return names


def unit(key):
    """The unit of a varied value, or nothing."""
    return next((unit for pattern, unit in KEY_UNITS if re.search(rf"(^|\.|_)({pattern})$", key)), "")


def result_label(name):
    """A result on an axis."""
    if name in LABELS:
        return LABELS[name]
    endings = [e for e in RESULT_UNITS if re.sub(r"(\[\d+\])+$", "", name).endswith(e)]
    return shown(f"{name} ({RESULT_UNITS[max(endings, key=len)]})" if endings else name)


def file_name(key):
    return re.sub(r"[^\w]+", "_", key).strip("_")


class Gallery:
    """Where pictures go, and which there are."""

    def __init__(self, folder, form, ending):
        self.folder, self.form, self.ending, self.written = folder, form, ending, []

    def save(self, figure, name, of_result=True):
        path = self.folder / f"{name}{self.ending if of_result else ''}.{self.form}"
        figure.savefig(path, dpi=130, bbox_inches="tight")
        plt.close(figure)
        self.written.append(path)


def legend(axes, **options):
    """A legend beside the axes if it would cover much of them."""
    handles, _ = axes.get_legend_handles_labels()
    if len(handles) > 8:
        options.update(loc="center left", bbox_to_anchor=(1.01, 0.5))
    if handles:
        axes.legend(fontsize=7, title_fontsize=7, **options)


def against_random(sweep, key, y, axes):
    """Points per stratum. A listed value is the same for all of a stratum: its points lie beside each other, with their median
    and their 5 and 95 % percentiles."""
    x = sweep.values[key]
    beside = np.random.default_rng(1).uniform(-1, 1, len(y))
    if key not in sweep.listed:
        for index, name, _ in sweep.strata():
            chosen = (sweep.stratum == index) & sweep.counts
            axes.plot(x[chosen], y[chosen], ".", ms=4, alpha=0.7, label=name or None)
        return legend(axes)
    words = list(dict.fromkeys(x)) if x.dtype.kind != "f" else np.unique(x)
    place = np.arange(len(words)) if x.dtype.kind != "f" else np.array(words)
    width = 0.12 * (np.diff(place).min() if len(place) > 1 else 1)
    for word, at in zip(words, place):
        chosen = sweep.counts & (x == word) & np.isfinite(y)
        axes.plot(at + width * beside[chosen], y[chosen], ".", ms=4, alpha=0.5, color="tab:blue")
        if chosen.any():
            low, middle, high = np.percentile(y[chosen], (5, 50, 95))
            axes.errorbar(at, middle, [[middle - low], [high - middle]], fmt="o", ms=4, color="black", capsize=4, zorder=3,
                          label="median, 5 and 95 %" if at == place[0] else None)
    axes.set_xticks(place, [shown(str(w)) if x.dtype.kind != "f" else f"{w:g}" for w in words])
    return legend(axes)


def against_listed(sweep, key, y, axes):
    """Lines, a color for each of another listed value; the mean over the rest. Words get boxes."""
    x = sweep.values[key]
    if x.dtype.kind != "f":
        words = list(dict.fromkeys(x))
        axes.boxplot([y[(x == w) & np.isfinite(y)] for w in words])
        axes.set_xticks(np.arange(len(words)) + 1, [shown(w) for w in words])
        return
    numeric = [k for k in sweep.keys if k != key and repeated(sweep.values[k])]
    other = numeric[0] if numeric and repeated(x) else None
    groups = np.unique(sweep.values[other]) if other else [None]
    for group, color in zip(groups, plt.cm.viridis(np.linspace(0, 0.9, len(groups)))):
        chosen = np.isfinite(y) if group is None else np.isfinite(y) & (sweep.values[other] == group)
        points = np.unique(x[chosen])
        mean = [y[chosen & (x == p)].mean() for p in points]
        axes.plot(points, mean, "o-", ms=3.5, color=color, label=None if group is None else f"{group:g}")
    if other:
        legend(axes, title=sweep.label(other))


def repeated(values):
    """Whether a value is a number that stands in several cases."""
    return values.dtype.kind == "f" and 1 < len(np.unique(values)) <= max(2, len(values) // 2)


def plot_against(sweep, result, gallery):
    """One picture per parameter."""
    for key in sweep.keys:
        figure, axes = plt.subplots(figsize=(5.4, 3.8))
        (against_random if sweep.is_random else against_listed)(sweep, key, sweep.results[result], axes)
        axes.set_xlabel(sweep.label(key))
        axes.set_ylabel(result_label(result))
        gallery.save(figure, f"against_{file_name(key)}")


def plot_maps(sweep, result, gallery):
    """Contours over every two listed values; other values are averaged over. Where the zone has more than one part, a
    red line is the border."""
    if sweep.is_random:
        return
    for a, b in itertools.combinations([k for k in sweep.listed if repeated(sweep.values[k])], 2):
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
        figure.colorbar(filled, label=result_label(result))
        axes.set_xlabel(sweep.label(a))
        axes.set_ylabel(sweep.label(b))
        gallery.save(figure, f"map_{file_name(a)}_{file_name(b)}")


def splits_rightwards(share):
    """Whether the zone is in one part on the left and in several on the right."""
    return np.nanmean(share[:, 0]) < np.nanmean(share[:, -1])


def percentiles(entry, result, y):
    """5, 50 and 95 %: name, color, value, standard error and 95 % interval; columns without statistics have no errors."""
    for key, color in (("percentile_05", "tab:blue"), ("percentile_50", "black"), ("percentile_95", "tab:red")):
        if key in entry.get(result, {}):
            estimate = entry[result][key]
            yield key, color, estimate["value"], estimate["standard_error"], (estimate["low95"], estimate["high95"])
        else:
            yield key, color, np.percentile(y, int(key[-2:])), None, None


def plot_histogram(sweep, result, gallery):
    if not sweep.is_random:
        return
    samples = [(name, entry, y[np.isfinite(y)]) for index, name, entry in sweep.strata()
               for y in [sweep.results[result][(sweep.stratum == index) & sweep.counts]]]
    samples = [sample for sample in samples if len(sample[2]) > 1]
    if not samples:
        return
    figure, rows = plt.subplots(len(samples), 1, figsize=(5.6, 2.2 + 1.7 * len(samples)), sharex=True, squeeze=False)
    for (name, entry, y), axes in zip(samples, rows[:, 0]):
        axes.hist(y, bins=max(8, int(np.sqrt(len(y)))), color="0.75")
        for key, color, value, error, interval in percentiles(entry, result, y):
            axes.axvline(value, color=color, lw=1.5,
                         label=f"{int(key[-2:])} %: {value:.3g}" + (f" ± {error:.2g}" if error is not None else ""))
            if interval:
                axes.axvspan(*interval, color=color, alpha=0.12)
        title = f"mean {y.mean():.4g}, spread {y.std(ddof=1):.3g}"
        if "mean" in entry.get(result, {}):
            mean, sd = entry[result]["mean"], entry[result]["standard_deviation"]
            title = (f"mean {mean['value']:.4g} ± {mean['standard_error']:.2g}, "
                     f"spread {sd['value']:.3g} ± {sd['standard_error']:.2g}")
        axes.set_title(f"{name + ': ' if name else ''}{title}", fontsize=8)
        axes.legend(fontsize=7)
        axes.set_ylabel("cases")
    rows[-1, 0].set_xlabel(result_label(result))
    gallery.save(figure, "histogram")


def plot_convergence(sweep, result, gallery):
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
    axes.set_ylabel(f"mean of {result_label(result)}")
    axes.set_title("band: 95 % interval as for independent cases", fontsize=8)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7)
    gallery.save(figure, "convergence")


def plot_sobol(sweep, result, gallery):
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
        axes.set_yticks(place, [shown(sweep.short.get(i["key"], i["key"])) for i in indices], fontsize=8)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("Sobol index")
        axes.axvline(0, color="0.4", lw=0.6)
    rows[0, 0].invert_yaxis()
    rows[0, 0].legend(fontsize=8)
    gallery.save(figure, "sobol")


def plot_probability(sweep, folder, gallery):
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
            image = axes.pcolormesh(axis[a], axis[b], plane.T, cmap="magma_r", vmin=0, vmax=1, shading="nearest")
            if plane.max() > 0.05:
                lines = axes.contour(axis[a], axis[b], plane.T, LEVELS, colors=["tab:cyan", "white", "lime"],
                                     linewidths=1.2)
                axes.clabel(lines, fmt=lambda v: f"{100 * v:g} %", fontsize=7)
            axes.set_aspect("equal")
            axes.set_xlabel("xyz"[a] + " (mm)")
            axes.set_ylabel("xyz"[b] + " (mm)")
            axes.set_title(f"{title + ', ' if title else ''}{'xyz'[normal]} = {axis[normal][at]:g} mm", fontsize=8)
        figure.colorbar(image, ax=list(row), label="share of cases", shrink=0.8)
    gallery.save(figure, "probability", of_result=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="folder of a sweep")
    parser.add_argument("-o", "--out", type=pathlib.Path, help="where the pictures go (default: FOLDER/plots)")
    parser.add_argument("--result", default="volume_cm3", help="column of the results (default: volume_cm3)")
    parser.add_argument("--format", choices=("png", "svg", "pdf"), default="png", help="of the pictures (default: png)")
    arguments = parser.parse_args()
    sweep = Sweep(arguments.folder)
    if arguments.result not in sweep.results or sweep.results[arguments.result].dtype.kind != "f":
        names = ", ".join(k for k, v in sweep.results.items() if v.dtype.kind == "f")
        fail(f"no result {arguments.result}; there are {names}", 2)
    out = arguments.out or arguments.folder / "plots"
    out.mkdir(parents=True, exist_ok=True)
    gallery = Gallery(out, arguments.format, "" if arguments.result == "volume_cm3" else "_" + file_name(arguments.result))
    for plot in (plot_against, plot_maps, plot_histogram, plot_convergence, plot_sobol):
        plot(sweep, arguments.result, gallery)
    plot_probability(sweep, arguments.folder, gallery)
    for path in gallery.written:
        print(path)


def fail(message, code):
    """End with one line."""
    print(irezone_hdf.clean(f"sweep_plots.py: {message}"), file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # quiet after `| head`
    try:
        main()
    except irezone_hdf.Refused as refused:
        fail(str(refused), 3)
    except OSError as problem:
        fail(f"{problem.filename}: cannot be written: {problem.strerror}", 5)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError, MemoryError) as problem:
        fail(f"the tables of the sweep are damaged ({type(problem).__name__}: {problem})", 3)
