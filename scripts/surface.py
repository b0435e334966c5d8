#!/usr/bin/env python3
"""surface.py RESULT.hdf [-o zone.stl|zone.vtp] [--threshold V/cm]

Write the closed surface of the ablation zone for 3D Slicer, tagged SPACE=LPS, in mm. A result with a patient's anatomy
is converted from its frame to LPS; one without has no patient's frame and is written as it is.
"""
import argparse
import errno
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import irezone_result as result  # noqa: E402


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="Surface of the ablation zone as STL or VTP.")
    parser.add_argument("result", help="RESULT.hdf")
    parser.add_argument("-o", "--output", help="zone.stl or zone.vtp (default: RESULT-zone.stl)")
    parser.add_argument("--threshold", type=float, help="V/cm, for every region (default: the plan's)")
    options = parser.parse_args()
    if options.output is None:
        options.output = os.path.splitext(options.result)[0] + "-zone.stl"
    if os.path.splitext(options.output)[1] not in (".stl", ".vtp"):
        result.fail(f"{options.output}: unknown ending; allowed are .stl and .vtp", 2)
    if options.threshold is not None and not 0 < options.threshold < float("inf"):
        result.fail(f"--threshold: {options.threshold:g} V/cm is not positive", 2)
    return options


def closed_surface(path, summary, threshold):
    """The zone's surface as vtkPolyData in the result's frame."""
    from paraview.simple import ExtractSurface, Triangulate
    from paraview import servermanager

    _, grid = result.open_result(path)
    surface = Triangulate(Input=ExtractSurface(Input=result.zone_solid(grid, summary, threshold)))
    surface.UpdatePipeline()
    return servermanager.Fetch(surface)


def prepare(surface, mirror):
    """A surface without arrays, with its points merged and, if asked, turned between RAS and LPS."""
    from vtkmodules.vtkCommonDataModel import vtkPolyData
    from vtkmodules.vtkCommonTransforms import vtkTransform
    from vtkmodules.vtkFiltersCore import vtkCleanPolyData
    from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter

    bare = vtkPolyData()
    bare.SetPoints(surface.GetPoints())
    bare.SetPolys(surface.GetPolys())
    transform = vtkTransform()
    if mirror:
        transform.Scale(-1, -1, 1)  # a half turn about z: triangles keep facing outwards
    turned = vtkTransformPolyDataFilter()
    turned.SetInputData(bare)
    turned.SetTransform(transform)
    clean = vtkCleanPolyData()
    clean.SetInputConnection(turned.GetOutputPort())
    clean.Update()
    return clean.GetOutput()


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
    with result.replacing(path) as temporary:
        writer.SetFileName(temporary)
        writer.SetInputData(surface)
        if writer.Write() != 1 or writer.GetErrorCode() != 0:
            raise OSError(errno.EIO, "ParaView failed to write it")


def report(surface, frame, path):
    """Say what was written, with its box in both frames."""
    from vtkmodules.vtkFiltersCore import vtkFeatureEdges, vtkMassProperties

    edges = vtkFeatureEdges()
    edges.SetInputData(surface)
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.NonManifoldEdgesOff()
    edges.Update()
    mass = vtkMassProperties()
    mass.SetInputData(surface)
    mass.Update()
    closed = "closed" if edges.GetOutput().GetNumberOfCells() == 0 else "NOT CLOSED"
    print(f"{path}: {surface.GetNumberOfPolys()} triangles, {closed}, {mass.GetVolume() / 1e3:.4g} cm³, SPACE=LPS")
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
    summary = result.read_summary(options.result)
    result.need_paraview(rendering=False)
    surface = closed_surface(options.result, summary, options.threshold)
    if surface is None or surface.GetNumberOfPolys() == 0:
        result.fail(f"{options.result}: the field does not reach the threshold anywhere; there is no surface", 3)
    frame = summary.get("frame")
    surface = prepare(surface, mirror=frame == "RAS")
    write_surface(surface, options.output)
    report(surface, frame, options.output)


if __name__ == "__main__":
    main()
    result.leave(0)
