#!/usr/bin/env python3
"""treatment.py IREZONE FOLDER CASE

Treatments of several pairs through the program, checked by what must hold whatever the numbers are.
"""
import json
import math
import os
import resource
import subprocess
import sys

PLAN = """name: {name}
mesh: {{size: 80, accuracy: 5}}
tissues: {{default: {{sigma: {{law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}}, threshold: 500}}}}
array: {{count: 3, spacing: 15, exposure: 10}}
pulses: [{pulses}]
{more}
"""
program, folder = sys.argv[1], os.path.join(sys.argv[2], sys.argv[3])


def pulse(pair, voltage):
    """One entry of `pulses`."""
    return f"{{from: {pair[0]}, to: {pair[1]}, voltage: {voltage}}}"


def run(name, pulses, more="", ranks=1, options=()):
    """Run a plan; its summary."""
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PLAN.format(name=name, pulses=", ".join(pulses), more=more))
    command = [program, "run", path, "-o", folder, "-q", "--threads", "1", *options]
    if ranks > 1:
        command = ["mpiexec", "--oversubscribe", "-n", str(ranks)] + command
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    subprocess.run(command, check=True, env=environment, stderr=subprocess.PIPE)
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def currents(summary):
    """Current of each pulse, A."""
    return [p["current_A"] for p in summary["pulses"]]


def close(found, wanted, tolerance, what):
    """Check a relative difference."""
    assert abs(found - wanted) <= tolerance * abs(wanted), f"{what}: {found!r}, wanted {wanted!r}"


def memory():
    """Remembered conductivity raises what later pairs draw, repeats change nothing, ranks agree."""
    sequence = [pulse("AB", 1800), pulse("BC", 1800), pulse("AB", 1800), pulse("AB", 900)]
    fresh = run("fresh", sequence)
    kept = run("kept", sequence, "memory: pairs")
    close(currents(kept)[0], currents(fresh)[0], 1e-6, "first pair")
    assert currents(kept)[1] > 1.005 * currents(fresh)[1], "the second pair meets tissue that conducts better"
    assert currents(kept)[2] > 1.005 * currents(kept)[0], "so does the first when it fires again"
    assert currents(kept)[3] > 1.05 * currents(fresh)[3], "and more so at a lower voltage"
    turned = run("turned", [pulse("AB", 1800), pulse("BA", 1800)], "memory: pairs")
    close(currents(turned)[1], currents(turned)[0], 1e-6, "the same pair turned around")
    for ranks in 2, 3:
        other = run("kept", sequence, "memory: pairs", ranks)
        for i, (a, b) in enumerate(zip(currents(other), currents(kept))):
            close(a, b, 1e-6, f"pulse {i} on {ranks} ranks")
        close(other["zone"]["volume_cm3"], kept["zone"]["volume_cm3"], 1e-5, f"zone on {ranks} ranks")


def limits():
    """Beyond the current and the voltage; the highest voltage holds when it is applied."""
    sequence = [pulse("AB", 2000), pulse("BC", 800)]
    free = run("free", sequence)
    limit = 0.7 * currents(free)[0]
    assert all(p["highest_voltage_V"] is None for p in free["pulses"])
    generator = f"generator: {{max_current: {limit}}}"
    warned = run("warned", sequence, generator)
    close(currents(warned)[0], currents(free)[0], 1e-6, "only warned")
    highest = warned["pulses"][0]["highest_voltage_V"]
    text = [w for w in warned["warnings"] if "A to B" in w]
    assert len(text) == 1 and f"{int(highest)} V" in text[0] and f"{limit:g} A"[:4] in text[0], text
    there = run("there", [pulse("AB", highest)])
    assert 0.998 * limit <= currents(there)[0] <= 1.000001 * limit, (currents(there), limit)
    enforced = run("enforced", sequence, f"generator: {{max_current: {limit}, enforce: true}}")
    first, second = enforced["pulses"]
    close(first["voltage_V"], highest, 1e-3, "enforced")
    assert first["requested_voltage_V"] == 2000 and first["current_A"] <= limit
    assert second["voltage_V"] == 800 and second["highest_voltage_V"] is None
    assert any("lowered from 2000 V" in w for w in enforced["warnings"]), enforced["warnings"]
    volts = run("volts", sequence, "generator: {max_voltage: 1500, enforce: true}")
    assert volts["pulses"][0]["voltage_V"] == 1500 and volts["pulses"][0]["highest_voltage_V"] == 1500
    tiny = run("tiny", [pulse("AB", 2000)], "generator: {max_current: 0.001}")
    allowed = [w.split("up to ")[1].split(" V")[0] for w in tiny["warnings"] if "A to B" in w]
    highest = tiny["pulses"][0]["highest_voltage_V"]
    assert len(allowed) == 1 and 0.9 * highest <= float(allowed[0]) <= highest, (allowed, highest)
    moved = run("moved", [pulse("AB", 2000)], generator + "\npullback: {step: 5, count: 1}")["warnings"]
    assert sum(w.startswith("pulse 1, A to B: ") for w in moved) == 1, moved
    assert sum(w.startswith("pulse 1, A to B, 5 mm up: ") for w in moved) == 1, moved
    hot = run("hot", [pulse("AB", 2000)], f"generator: {{max_current: {limit}, enforce: true}}\nheat: {{coupling: full}}",
              options=["--set", "tissues.default.preset=liver"])
    first, last = (hot["pulses"][0][key] for key in ("current_first_A", "current_A"))
    assert first <= limit < last, (first, limit, last)
    assert any(f"rises from {first:.4g} A to {last:.4g} A" in w for w in hot["warnings"]), hot["warnings"]
    assert any(f", {first:.3g} A, to stay inside the generator's current" in w for w in hot["warnings"]), hot["warnings"]
    ranges = "generator: {max_exposure: 9, min_count: 95, max_width: 90, usual_spacing: 12, max_spacing: 14}"
    stated = [pulse("AB", 2000).replace("}", ", count: 90, width: 100}")]
    words = " ".join(run("ranges", stated, ranges)["warnings"])
    for wanted in "outside 5 to 9 mm", "outside 95 to 100", "outside 20 to 90", "beyond the 14 mm":
        assert wanted in words, (wanted, words)


def faint():
    """Weak pulses: the sheaths at the metal, smaller than a needle, do not take millions of tetrahedra."""
    summary = run("faint", [pulse("AB", 70)], options=["--set", "mesh.accuracy=1"])
    assert 0 < summary["zone"]["volume_cm3"] < 0.01, summary["zone"]
    assert summary["mesh"]["cells"] < 50000, summary["mesh"]


def death():
    """One pair: volumes at stated survival are those above the fields that the formula gives. Two: more dies."""
    def fields(n, asymptote=0.0):
        half, width = asymptote + (3996 - asymptote) * math.exp(-0.03 * n), 1441 * math.exp(-0.06 * n)
        return [half + width * math.log((1 - s) / s) for s in (0.5, 0.1, 0.01)]

    def check(name, pulses, model, n, ranks=1, asymptote=0.0, alike=0.05):
        also = ", ".join(f"{e:.9g}" for e in fields(n, asymptote))
        summary = run(name, pulses, f"zone: {{also: [{also}]}}\ndeath: {{model: peleg-fermi{model}}}", ranks,
                      ["--set", "mesh.accuracy=1"])
        levels = summary["zone"]["by_survival"]
        assert [v["survival"] for v in levels] == [0.5, 0.1, 0.01]
        for level, above in zip(levels, summary["zone"]["by_threshold"]):
            # The same fields; the score is interpolated between other points than the zone's.
            off = abs(level["volume_cm3"] - above["volume_cm3"])
            assert off <= 2e-3 * above["volume_cm3"], (name, level, above)
            ratio = level["volume_error_cm3"] / above["volume_error_cm3"]
            assert 1 - alike < ratio < 1 + alike, (name, level, above)
        return [v["volume_cm3"] for v in levels]

    def counted(pair, count):
        return pulse(pair, 1800).replace("}", f", count: {count}}}")

    assert run("plain", [pulse("AB", 1800)])["zone"]["by_survival"] == []
    one = check("one", [counted("AB", 70)], "", 70)
    assert one[0] > 1.05 * one[1] > 1.05 * one[2] > 0
    finer = run("finer", [counted("AB", 70)], "death: {model: peleg-fermi}", options=["--set", "mesh.accuracy=0.5"])
    coarse = run("coarse", [counted("AB", 70)], "death: {model: peleg-fermi}")
    for rough, exact in zip(coarse["zone"]["by_survival"], finer["zone"]["by_survival"]):
        off = abs(rough["volume_cm3"] - exact["volume_cm3"])
        assert off <= rough["volume_error_cm3"] + exact["volume_error_cm3"], (rough, exact)
    check("few", [counted("AB", 60)], "", 60)
    check("capped", [counted("AB", 90)], "", 70)
    check("uncapped", [counted("AB", 90)], ", n_max: 100", 90)
    check("plateau", [counted("AB", 90)], ", asymptote: 400", 90, asymptote=400)
    both = [counted("AB", 70), counted("BC", 70)]
    # The zone interpolates the largest field at the nodes, survival each pair's: between pairs the bars differ.
    largest = check("largest", both, ", accumulate: maximum", 70, alike=0.2)
    product = run("product", both, "death: {model: peleg-fermi}")["zone"]["by_survival"]
    for level, volume in zip(product, largest):
        assert level["volume_cm3"] > 1.002 * volume, (level, volume)
    for ranks in 2, 3:
        for a, b in zip(check("largest", both, ", accumulate: maximum", 70, ranks, alike=0.2), largest):
            close(a, b, 1e-5, f"{ranks} ranks")


def cost():
    """Six probes: fifteen pairs cost at most ten times one pair, processor time of the whole run."""
    def seconds(name, pulses):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""name: {name}
mesh: {{accuracy: 2}}
tissues: {{default: {{sigma: {{law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}}, threshold: 500}}}}
array: {{count: 6, spacing: 15}}
pulses: {pulses}
""")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, "run", path, "-o", folder, "-q", "--threads", "1"], check=True, stderr=subprocess.PIPE)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    one = min(seconds("one", "[{from: A, to: B, field: 1500}]") for _ in range(2))
    fifteen = seconds("fifteen", "{pairs: all, field: 1500}")
    print(f"one pair {one:.2f} s, fifteen {fifteen:.2f} s: {fifteen / one:.1f} times")
    assert fifteen <= 10 * one


def extent():
    """The zone ends near the tips: no badly bent element on a shaft may seem to reach the threshold."""
    for spacing in 15, 20:
        path = os.path.join(folder, f"extent{spacing}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""name: extent{spacing}
mesh: {{size: 140, accuracy: 1}}
tissues: {{default: {{preset: liver, threshold: 500}}}}
array: {{count: 2, spacing: {spacing}, exposure: 20, diameter: 1.27}}
pulses: [{{from: A, to: B, voltage: 3000}}]
""")
        subprocess.run([program, "run", path, "-o", folder, "-q"], check=True, stderr=subprocess.PIPE)
        with open(path.replace(".yaml", ".json"), encoding="utf-8") as file:
            low, high = json.load(file)["zone"]["bounding_box_mm"]
        for axis in range(3):
            assert abs(low[axis] + high[axis]) < 1, (spacing, axis, low, high)


os.makedirs(folder, exist_ok=True)
{"memory": memory, "limits": limits, "faint": faint, "death": death, "cost": cost, "extent": extent}[sys.argv[3]]()
