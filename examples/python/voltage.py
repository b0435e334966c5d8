#!/usr/bin/python3
"""Volume of the ablated zone against voltage, with its error bars."""
import os

import irezone
import matplotlib.pyplot as plt

plan = irezone.Plan(os.path.join(os.path.dirname(__file__), "..", "two_probes_liver.yaml"))
voltages = range(1000, 3001, 250)
with irezone.Session(plan) as session:
    found = [session.solve({"pulses[0].voltage": voltage}) for voltage in voltages]
plt.errorbar(voltages, [r.volume_cm3 for r in found], [r.volume_error_cm3 for r in found], fmt=".-", markersize=2, capsize=4)
plt.xlabel("voltage, V")
plt.ylabel("ablated volume, cm³")
plt.savefig("volume_against_voltage.png", dpi=150)
