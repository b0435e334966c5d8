"""What the scripts that look at results share: finding VTK and a screen, reading a summary, writing files whole."""
import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

import irezone_hdf

FIELD = "field_V_per_cm"
at_end = contextlib.ExitStack()  # what leave() closes


def leave(code):
    """End the process at once: ParaView 5.11 lets its HDF5 reader complain if it outlives HDF5 at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    at_end.close()
    # pvpython prints through C's buffers, which Python does not flush.
    ctypes.CDLL(None).fflush(None)
    os._exit(code)


def run(main):
    """Run a script's main function and leave. Where nobody reads what is printed any more, as after `| head`, or it cannot be
    written, the script ends as other programs do, without a traceback."""
    try:
        main()
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still to be printed must not fail again
        if isinstance(error, BrokenPipeError):
            leave(128 + signal.SIGPIPE)
        fail(f"{error.filename or 'standard output'}: {error.strerror or error}", 5)
    leave(0)


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


def need_vtk():
    """Make sure that a Python with VTK runs this script: this one, or ParaView's; may not return."""
    if inside_paraview() or importlib.util.find_spec("vtkmodules") is not None:
        return
    if os.environ.get("IREZONE_PVPYTHON") == "1" or shutil.which("pvpython") is None:
        fail("VTK was not found (Debian: python3-paraview or python3-vtk9)", 2)
    sys.exit(subprocess.call(["pvpython", *sys.argv], env=dict(os.environ, IREZONE_PVPYTHON="1")))


def end_with_parent():
    """Let a process that is being started end when this one does, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def need_screen():
    """Make sure that there is a screen to draw on, until leave(): that of the user, or one in memory."""
    if os.environ.get("DISPLAY") or inside_paraview():
        return
    if shutil.which("Xvfb") is None:
        fail("there is no screen and no Xvfb (Debian: xvfb)", 2)
    os.environ.update(at_end.enter_context(screen_in_memory()))


@contextlib.contextmanager
def screen_in_memory():
    """A screen that nobody else can open; gives the environment that finds it."""
    with tempfile.TemporaryDirectory() as folder:
        cookie = os.path.join(folder, "cookie")
        name, data = b"MIT-MAGIC-COOKIE-1", os.urandom(16)
        with open(cookie, "wb") as file:  # for any address and number
            file.write(struct.pack(">HHHH", 65535, 0, 0, len(name)) + name + struct.pack(">H", len(data)) + data)
        source, sink = os.pipe()
        command = ["Xvfb", "-displayfd", str(sink), "-screen", "0", "640x480x24", "-noreset", "-nolisten", "tcp", "-auth", cookie]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(command, pass_fds=[sink], preexec_fn=end_with_parent, **quiet)
        os.close(sink)
        try:
            with os.fdopen(source) as numbers:
                number = numbers.readline().strip()
            if not number:
                fail("Xvfb does not start", 2)
            yield {"DISPLAY": f":{number}", "XAUTHORITY": cookie}
        finally:
            server.terminate()
            server.wait()


def read_summary(path):
    """The summary stored in a result; ends with one line if `path` is not a result, or one that links to other files."""
    # In a process of its own: h5py and VTK may be linked with different HDF5 libraries.
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
