#!/usr/bin/env python3
"""check_play.py IREZONE: ParaView plays the frames of a heating: their times, and temperatures that rise and fall."""
import os
import subprocess
import sys
import tempfile

from paraview.simple import OpenDataFile  # pylint: disable=import-error

PLAN = """
name: play
mesh: {size: 80, accuracy: 5}
tissues: {default: {preset: liver}}
array: {count: 2, spacing: 15, exposure: 20}
pulses: [{from: A, to: B, voltage: 2000, count: 20, width: 100, rate: 1}]
heat: {frames: 4, cooling: 36.5}
"""
with tempfile.TemporaryDirectory() as folder:
    plan = os.path.join(folder, "play.yaml")
    with open(plan, "w", encoding="utf-8") as out:
        out.write(PLAN)
    subprocess.run([sys.argv[-1], "run", plan, "-o", folder, "-q"], check=True, stdout=subprocess.DEVNULL)
    reader = OpenDataFile(os.path.join(folder, "play_heat.hdf.series"))
    times = [float(time) for time in reader.TimestepValues]
    hottest = []
    for time in times:
        reader.UpdatePipeline(time)
        hottest.append(reader.PointData["temperature_C"].GetRange()[1])
print(times, hottest)
good = len(times) == 4 and all(abs(time - 20 * k) < 1e-6 for k, time in enumerate(times))
good = good and abs(hottest[0] - 37) < 1e-6 and hottest[1] > 38 and hottest[1] > hottest[2] > hottest[3] > 37
sys.exit(0 if good else 1)
