"""Pictures of a random sample with strata: points per stratum, names that tell values apart, any column, three formats."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

IREZONE, SOURCE = sys.argv[1:3]
home = tempfile.TemporaryDirectory(prefix="irezone-sweep-")
path = pathlib.Path(home.name)
(path / "p.yaml").write_text(f"""name: plates
mesh: {{file: {SOURCE}/meshes/parallel_plates.msh, order: 1, accuracy: 50}}
tissues:
  default: {{sigma: {{law: ramp, low: 0.1, high: 0.3, from: 400, to: 800}}, threshold: 500}}
  tissue: {{sigma: {{law: ramp, low: 0.1, high: 0.3, from: 400, to: 800}}, threshold: 500}}
probes: [{{name: bottom, surface: plate_1}}, {{name: top, surface: plate_2}}]
pulses: [{{from: top, to: bottom, voltage: 1000, count: 10, width: 100, rate: 1}}]
""")
(path / "s.yaml").write_text("""plan: p.yaml
sample: random
cases: 12
columns: ["zone.extent_mm[2]"]
vary: {"pulses[0].voltage": {values: [900, 1000, 1100]}, tissues.default.sigma.low: {uniform: [0.05, 0.15]},
       tissues.tissue.sigma.low: {uniform: [0.05, 0.15]}, tissues.tissue.threshold: {uniform: [400, 600]}}
""")


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def run(*command):
    done = subprocess.run([str(c) for c in command], cwd=path, env=dict(os.environ, OMP_NUM_THREADS="1"), capture_output=True, text=True)
    check(done.returncode == 0, f"{command}: {done.stderr}")
    return done.stdout


run(IREZONE, "sweep", "s.yaml", "-o", "out", "-q")
script = pathlib.Path(SOURCE) / "scripts" / "sweep_plots.py"
for form, begin in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
    for result in ("volume_cm3", "zone.extent_mm[2]", "newton_iterations"):
        written = run(sys.executable, script, "out", "-o", form, "--format", form, "--result", result).split()
        check(any("against_tissues_tissue_sigma_low" in name for name in written) and all(n.endswith(form) for n in written), f"{written}")
        check(all((path / name).read_bytes().startswith(begin) for name in written), form)

spec = importlib.util.spec_from_file_location("sweep_plots", script)
plots = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plots)
sweep = plots.Sweep(path / "out")
check(sweep.keys == ["pulses[0].voltage", "tissues.default.sigma.low", "tissues.tissue.sigma.low", "tissues.tissue.threshold"], f"{sweep.keys}")
check(sweep.listed == ["pulses[0].voltage"], f"{sweep.listed}")
check(sweep.label("tissues.default.sigma.low") == "tissues.default.sigma.low (S/m)", sweep.label("tissues.default.sigma.low"))
check(len(set(sweep.short.values())) == 4 and sweep.short["tissues.default.sigma.low"] == "default.sigma.low", f"{sweep.short}")
check([plots.unit(k) for k in ("pulses[0].voltage", "pulses[0].width", "array.spacing", "tissues.a.sigma.width", "tissues.a.threshold",
                               "probes[1].tip[2]", "mesh.accuracy", "mesh.order")] == ["V", "µs", "mm", "V/cm", "V/cm", "mm", "%", ""], "units")
for key, lines in (("tissues.default.sigma.low", 3), ("pulses[0].voltage", 3)):
    figure, axes = plots.plt.subplots()
    plots.against_random(sweep, key, sweep.results["volume_cm3"], axes)
    points = [line for line in axes.lines if line.get_marker() == "." and line.get_linestyle() == "None"]
    check(len(points) == lines and all(len(line.get_xdata()) == 12 for line in points), f"{key}: points per stratum")
home.cleanup()
