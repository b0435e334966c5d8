#!/usr/bin/env python3
"""check_paraview.py RESULT.hdf RESULT.json

Check that ParaView opens a result, that counts and ranges agree with the summary, and that the volume ParaView
integrates where the field reaches the threshold agrees with the summary's within 1 %. Exit status 0 if so.
"""
import json
import math
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.dont_write_bytecode = True
import irezone_result as result  # noqa: E402

wrong = []


def check(good, message):
    """Note what is wrong."""
    if not good:
        wrong.append(message)


def need_paraview():
    """Make sure that ParaView's Python runs this script; may not return."""
    if "pvpython" not in os.path.basename(sys.executable or "") and os.environ.get("IREZONE_PVPYTHON") != "1":
        environment = dict(os.environ, IREZONE_PVPYTHON="1")
        sys.exit(subprocess.call(["pvpython", *sys.argv], env=environment))


def region_cells(grid, number):
    """The cells of one region."""
    from paraview.simple import Threshold

    return Threshold(
        Input=grid, Scalars=["CELLS", "region"], LowerThreshold=number - 0.5, UpperThreshold=number + 0.5
    )


def cut(grid, value):
    """The part of a grid where the field reaches a value (V/cm), cutting cells in two."""
    from paraview.simple import Clip

    return Clip(Input=grid, ClipType="Scalar", Scalars=["POINTS", result.FIELD], Value=value, Invert=0)


def zone_solid(grid, summary, threshold=None):
    """The zone as a solid: each region at its own threshold, or all at the given one (V/cm)."""
    from paraview.simple import AppendDatasets

    threshold = threshold or result.one_threshold(summary)
    if threshold:
        return cut(grid, threshold)
    return AppendDatasets(Input=[cut(region_cells(grid, number), value) for number, value in result.thresholds(summary)])


def volume_of(solid):
    """Volume of a grid, mm^3, as ParaView integrates it."""
    from paraview.simple import Delete, IntegrateVariables
    from paraview import servermanager

    integral = IntegrateVariables(Input=solid)
    integral.UpdatePipeline()
    volume = servermanager.Fetch(integral).GetCellData().GetArray("Volume")
    value = volume.GetValue(0) if volume else 0.0
    Delete(integral)
    return value


def check_grid(reader, summary):
    """Counts, arrays and their ranges."""
    information = reader.GetDataInformation()
    cells, points = information.GetNumberOfCells(), information.GetNumberOfPoints()
    check(cells == summary["mesh"]["cells"], f"ParaView has {cells} cells, the summary {summary['mesh']['cells']}")
    check(points >= summary["mesh"]["vertices"], f"ParaView has only {points} points")
    pulses = len(summary["pulses"])
    names = ["potential_V"] if pulses == 1 else [f"potential_V_{i + 1:02d}" for i in range(pulses)]
    for name in names + [result.FIELD, "conductivity_S_per_m", "zone"]:
        array = reader.PointData.GetArray(name)
        check(array is not None, f"there is no point array {name}")
        if array is not None:
            low, high = array.GetRange()
            check(math.isfinite(low) and math.isfinite(high), f"{name} is not finite")
            print(f"  {name:22s} {low:12.6g} to {high:12.6g}")
    for name, components in (("region", 1), ("field_vector_V_per_cm", 3)):
        array = reader.CellData.GetArray(name)
        check(array is not None and array.GetNumberOfComponents() == components, f"cell array {name} is missing or wrong")
    from paraview import servermanager

    field_data = servermanager.Fetch(reader).GetFieldData().GetAbstractArray("region_names")
    regions = [] if field_data is None else [field_data.GetValue(i) for i in range(field_data.GetNumberOfValues())]
    check(regions == [region["region"] for region in summary["zone"]["by_region"]], f"the regions are named {regions}")
    for name, pulse in zip(names, summary["pulses"]):
        array = reader.PointData.GetArray(name)
        if array is None:
            continue
        low, high = array.GetRange()
        # Quadratic elements may overshoot a little beside an electrode's rim.
        slack = 0.01 * abs(pulse["voltage_V"])
        check(-slack <= low and high <= pulse["voltage_V"] + slack, f"{name} leaves the range of the electrodes")


def check_volume(name, mine, wanted):
    """Agreement of a volume in cm^3 within 1 %."""
    difference = abs(mine - wanted) / wanted if wanted > 0 else float(mine > 0)
    print(f"  {name:22s} ParaView {mine:.5g} cm³, summary {wanted:.5g} cm³, {100 * difference:.2f} %")
    check(difference <= 0.01, f"{name}: volumes differ by {100 * difference:.2f} %")


def check_zone(reader, summary):
    """The zone's volume and the tissue's."""
    zone = summary["zone"]
    check_volume("zone", volume_of(zone_solid(reader, summary)) / 1e3, zone["volume_cm3"])
    for number, region in enumerate(zone["by_region"]):
        if summary["frame"] is None and region["volume_cm3"] > 0:
            volume = volume_of(region_cells(reader, number)) / 1e3
            check_volume(f"region {region['region']}", volume, region["volume_cm3"])


def main():
    """Compare a result with its summary."""
    if len(sys.argv) != 3:
        result.fail("usage: check_paraview.py RESULT.hdf RESULT.json", 2)
    stored = result.read_summary(sys.argv[1])
    need_paraview()
    with open(sys.argv[2], encoding="utf-8") as file:
        summary = json.load(file)
    check(stored["zone"] == summary["zone"], "the stored summary has another zone than the JSON file")
    from paraview.simple import VTKHDFReader

    reader = VTKHDFReader(FileName=sys.argv[1])
    reader.UpdatePipeline()
    print(sys.argv[1])
    check_grid(reader, summary)
    check_zone(reader, summary)
    for message in wrong:
        print(f"check_paraview.py: {sys.argv[1]}: {message}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    result.leave(main())
