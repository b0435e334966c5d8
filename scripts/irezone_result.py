"""What the scripts that look at results share: finding ParaView, reading a result, cutting out its zone."""
import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile

import irezone_hdf

FIELD = "field_V_per_cm"


def leave(code):
    """End the process at once: ParaView 5.11 lets its HDF5 reader complain if it outlives HDF5 at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    # pvpython prints through C's buffers, which Python does not flush.
    ctypes.CDLL(None).fflush(None)
    os._exit(code)


def fail(message, code):
    """End with one line on stderr; in ParaView's own shell only the script ends."""
    line = f"{os.path.basename(sys.argv[0] or 'irezone')}: {message}"
    if inside_paraview():
        raise RuntimeError(line)
    print(line, file=sys.stderr)
    leave(code)


def inside_paraview():
    """Whether this runs in the Python shell of the ParaView application (not in pvpython or plain Python)."""
    if "paraview" not in sys.modules:
        return False
    import paraview

    if getattr(paraview, "fromGUI", False):
        return True
    # ParaView 5.11 does not set it for scripts.
    try:
        return os.path.basename(os.readlink("/proc/self/exe")).startswith("paraview")
    except OSError:
        return False


def need_paraview(rendering):
    """Make sure that ParaView's Python runs this script, off screen where there is no screen; may not return."""
    if inside_paraview():
        return
    command = []
    if rendering and not os.environ.get("DISPLAY"):
        if shutil.which("xvfb-run") is None:
            fail("there is no screen and no xvfb-run (Debian: xvfb, xauth)", 2)
        # A screen number of its own: with -a alone, two runs that start together may take the same one.
        # Without -noreset the server starts afresh whenever its last window closes, and ParaView, which opens one window
        # after another, may meet it in between.
        screen = "-screen 0 1280x1024x24 -noreset"
        command = ["xvfb-run", "-a", "-n", str(100 + os.getpid() % 30000), "-s", screen]
    if "pvpython" not in os.path.basename(sys.executable or "") and os.environ.get("IREZONE_PVPYTHON") != "1":
        if shutil.which("pvpython") is None:
            fail("ParaView's pvpython was not found (Debian: paraview, python3-paraview)", 2)
        command += ["pvpython"]
    elif command:
        command += [sys.executable]
    if command:
        environment = dict(os.environ, IREZONE_PVPYTHON="1")
        sys.exit(subprocess.call(command + sys.argv, env=environment))


def read_summary(path):
    """The summary stored in a result; ends with one line if `path` is not a result, or one that links to other files."""
    # In a process of its own: h5py and ParaView may be linked with different HDF5 libraries.
    program = os.path.join(os.path.dirname(os.path.abspath(irezone_hdf.__file__)), "irezone_hdf.py")
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    done = subprocess.run([python, program, path], capture_output=True, check=False, text=True)
    if done.returncode in (2, 3):
        fail(irezone_hdf.clean(f"{path}: {done.stderr.strip()}"), done.returncode)
    try:
        return irezone_hdf.parse_summary(done.stdout)
    except irezone_hdf.Refused as error:
        fail(irezone_hdf.clean(f"{path}: {error}"), 3)


@contextlib.contextmanager
def replacing(path):
    """A name for a file that is written first and then takes the place of `path`, whole or not at all. Its ending is the
    same."""
    temporary = None
    try:
        start, ending = os.path.basename(path)[:200] + ".", os.path.splitext(path)[1]
        handle, temporary = tempfile.mkstemp(suffix=ending, prefix=start, dir=os.path.dirname(path) or ".")
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)
        yield temporary
        os.fsync(handle)
        os.close(handle)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        fail(f"{path}: cannot be written: {error.strerror}", 5)


def thresholds(summary):
    """Threshold of each region that has any volume: [(region, V/cm)]; the number of a region is its place."""
    zone = summary["zone"]
    regions = zone["by_region"] or [{"volume_cm3": 1.0}]
    return [
        (number, region.get("threshold_V_per_cm") or zone["threshold_V_per_cm"])
        for number, region in enumerate(regions)
        if region["volume_cm3"] > 0
    ]


def one_threshold(summary):
    """The threshold that applies everywhere, or None if regions differ."""
    values = {value for _, value in thresholds(summary)}
    return values.pop() if len(values) == 1 else None


def open_result(path):
    """ParaView's reader of a result, and the same grid with the ranks' parts sewn together."""
    from paraview.simple import CleantoGrid, VTKHDFReader

    reader = VTKHDFReader(FileName=path)
    reader.UpdatePipeline()
    if reader.GetDataInformation().GetNumberOfCells() == 0:
        fail(f"{path}: ParaView finds no cells in it", 3)
    return reader, CleantoGrid(Input=reader)


def region_cells(grid, number):
    """The cells of one region."""
    from paraview.simple import Threshold

    return Threshold(
        Input=grid, Scalars=["CELLS", "region"], LowerThreshold=number - 0.5, UpperThreshold=number + 0.5
    )


def cut(grid, value):
    """The part of a grid where the field reaches a value (V/cm), cutting cells in two."""
    from paraview.simple import Clip

    return Clip(Input=grid, ClipType="Scalar", Scalars=["POINTS", FIELD], Value=value, Invert=0)


def zone_solid(grid, summary, threshold=None):
    """The zone as a solid: each region at its own threshold, or all at the given one (V/cm)."""
    from paraview.simple import AppendDatasets

    threshold = threshold or one_threshold(summary)
    if threshold:
        return cut(grid, threshold)
    return AppendDatasets(Input=[cut(region_cells(grid, number), value) for number, value in thresholds(summary)])


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
