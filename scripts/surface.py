#!/usr/bin/env python3
"""surface.py RESULT.hdf [-o zone.stl|zone.vtp] [--threshold V/cm] [--flat]

Write the closed surface of the ablation zone for 3D Slicer, tagged SPACE=LPS, in mm. A result with a patient's anatomy
is converted from its frame to LPS; one without has no patient's frame and is written as it is. The surface is smooth,
and encloses the volume that the summary states; --flat: made of the flat pieces that ParaView's Contour and Clip make.
"""
import argparse
import errno
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import irezone_result as result  # noqa: E402
import irezone_zone as zone  # noqa: E402

USUAL = [350.0, 700.0]  # V/cm: between these irezone keeps the stored field's volumes right (irezone/result.h)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="Surface of the ablation zone as STL or VTP.")
    parser.add_argument("result", help="RESULT.hdf")
    parser.add_argument("-o", "--output", help="zone.stl or zone.vtp (default: RESULT-zone.stl)")
    parser.add_argument("--threshold", type=float, help="V/cm, for every region (default: the plan's)")
    parser.add_argument("--flat", action="store_true", help="flat pieces, as ParaView's Contour and Clip make them")
    options = parser.parse_args()
    if options.output is None:
        options.output = os.path.splitext(options.result)[0] + "-zone.stl"
    if os.path.splitext(options.output)[1] not in (".stl", ".vtp"):
        result.fail(f"{options.output}: unknown ending; allowed are .stl and .vtp", 2)
    if options.threshold is not None and not 0 < options.threshold < float("inf"):
        result.fail(f"--threshold: {options.threshold:g} V/cm is not positive", 2)
    return options


def closed_surface(path, summary, options):
    """The zone's surface in the result's frame, or None."""
    surfaces = zone.zone_surfaces(zone.grid_of(zone.read_dataset(path)), summary, options.threshold, not options.flat)
    return zone.joined(surfaces) if surfaces else None


def prepare(surface, mirror):
    """A surface as vtkPolyData and, if asked, turned between RAS and LPS."""
    if mirror:
        turn = [-1.0, -1.0, 1.0]  # a half turn about z: triangles keep facing outwards
        surface.points = surface.points * turn
        surface.normals = None if surface.normals is None else surface.normals * turn
    return surface.polydata()


def write_surface(surface, path):
    """Write STL or VTP under a temporary name, then rename."""
    from vtkmodules.vtkCommonCore import vtkStringArray
    from vtkmodules.vtkIOGeometry import vtkSTLWriter
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    ending = os.path.splitext(path)[1]
    if ending == ".stl":
        writer = vtkSTLWriter()
        writer.SetHeader("irezone ablation zone; SPACE=LPS; mm")
        writer.SetFileTypeToBinary()
    else:
        space = vtkStringArray()
        space.SetName("SPACE")
        space.InsertNextValue("LPS")
        surface.GetFieldData().AddArray(space)
        writer = vtkXMLPolyDataWriter()
        writer.SetDataModeToBinary()  # appended arrays are not read by VTK 9.1 with an expat as new as 2.5.0-1+deb12u2
    with result.replacing(path) as temporary:
        writer.SetFileName(temporary)
        writer.SetInputData(surface)
        if writer.Write() != 1 or writer.GetErrorCode() != 0:
            raise OSError(errno.EIO, "VTK failed to write it")


def stated(summary, threshold):
    """The summary's volume and its error at a threshold, or of the zone if that is None; None if it does not say."""
    rows = [summary["zone"]] if threshold is None else [summary["zone"], *summary["zone"].get("by_threshold", [])]
    if threshold is not None and result.one_threshold(summary) is None:
        rows = rows[1:]
    for row in rows:
        if threshold is None or abs(row["threshold_V_per_cm"] - threshold) <= 1e-9 * threshold:
            return row["volume_cm3"], row.get("volume_error_cm3")
    return None


def compare(volume, summary, threshold):
    """Say whether the surface's volume (cm^3) is the summary's; warn if it cannot be relied upon."""
    wanted = stated(summary, threshold)
    if wanted is not None and wanted[1] is not None:
        print(f"  The summary says {wanted[0]:.4g} ± {wanted[1]:.2g} cm³.")
        if abs(volume - wanted[0]) > wanted[1] + 1e-3 * wanted[0]:
            print(f"surface.py: warning: the surface's volume, {volume:.4g} cm³, is outside that", file=sys.stderr)
    if threshold is None or wanted is not None:
        return
    levels = [value for _, value in result.thresholds(summary)]
    levels += [row["threshold_V_per_cm"] for row in summary["zone"].get("by_threshold", [])]
    low, high = min(levels + USUAL), max(levels + USUAL)
    print(f"  The summary has no volume at {threshold:g} V/cm to compare with.")
    if not low <= threshold <= high:
        print(
            f"surface.py: warning: the stored field has right volumes from {low:g} to {high:g} V/cm, and {threshold:g} is outside: "
            f"for a result you can rely on, put it into the plan (zone: {{also: [{threshold:g}]}}) and run again",
            file=sys.stderr,
        )


def report(surface, summary, options):
    """Say what was written, with its box in both frames."""
    from vtkmodules.vtkFiltersCore import vtkFeatureEdges, vtkMassProperties

    path, frame = options.output, summary.get("frame")
    edges = vtkFeatureEdges()
    edges.SetInputData(surface)
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.NonManifoldEdgesOff()
    edges.Update()
    mass = vtkMassProperties()
    mass.SetInputData(surface)
    mass.Update()
    volume = mass.GetVolume() / 1e3
    closed = "closed" if edges.GetOutput().GetNumberOfCells() == 0 else "NOT CLOSED"
    print(f"{path}: {surface.GetNumberOfPolys()} triangles, {closed}, {volume:.4g} cm³, SPACE=LPS")
    compare(volume, summary, options.threshold)
    x0, x1, y0, y1, z0, z1 = surface.GetBounds()
    lps = f"x {x0:.1f} to {x1:.1f}, y {y0:.1f} to {y1:.1f}, z {z0:.1f} to {z1:.1f} mm"
    ras = f"x {-x1:.1f} to {-x0:.1f}, y {-y1:.1f} to {-y0:.1f}, z {z0:.1f} to {z1:.1f} mm"
    if frame is None:
        print("  The result has no patient's anatomy and so no patient's frame: its coordinates are written as they are.")
        print(f"  box as written, which 3D Slicer takes for LPS: {lps}")
        print(f"  box as 3D Slicer shows it, in RAS:             {ras}")
    else:
        print(f"  The result is in {frame}; written in LPS.")
        print(f"  box in LPS: {lps}")
        print(f"  box in RAS: {ras}")


def main():
    """Read, cut, convert, write."""
    options = arguments()
    result.need_vtk()
    summary = result.read_summary(options.result)
    surface = closed_surface(options.result, summary, options)
    if surface is None:
        result.fail(f"{options.result}: the field does not reach the threshold anywhere; there is no surface", 3)
    surface = prepare(surface, mirror=summary.get("frame") == "RAS")
    write_surface(surface, options.output)
    report(surface, summary, options)


if __name__ == "__main__":
    result.run(main)
