"""What the benchmark programs share: timed processes, the machine, plans, the cache of meshes.

Only Debian's Python 3 is needed here; Gmsh's Python module where a mesh is made.
"""
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
CASE = HERE / "two_needles"


def cache_dir():
    """Where meshes are kept between runs, outside the repository."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = pathlib.Path(base) / "irezone-benchmarks"
    path.mkdir(parents=True, exist_ok=True)
    return path


def find_irezone(path=None):
    """The program: as given, or build/irezone."""
    program = pathlib.Path(path) if path else ROOT / "build" / "irezone"
    if not program.is_file():
        sys.exit(f"{program}: not found; build the program first (see README.md) or name it with --irezone")
    return str(program.resolve())


def machine():
    """Processor, cores and memory, as far as they change a time."""
    model = platform.processor() or platform.machine()
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB"


def commit():
    """Commit of the source tree, with + if it was changed."""
    try:
        run = lambda *words: subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True)
        return run("rev-parse", "--short", "HEAD").stdout.strip() + ("+" if run("status", "--porcelain").stdout else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def today():
    """Date and time, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass
class Timed:
    """A process that has ended."""

    seconds: float  # from start to end
    cpu: float  # user and system time
    memory_MB: float  # largest resident set of the process
    code: int
    out: str
    err: str


def cores(count):
    """The last `count` processors this program may use: the first ones get the system's own work."""
    return sorted(os.sched_getaffinity(0))[-count:]


def timed(command, cpus=None, env=None, cwd=None, timeout=None):
    """Run a command on given processors and measure it."""
    environment = {**os.environ, **(env or {})}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=out,
            stderr=err,
            stdin=subprocess.DEVNULL,
            cwd=cwd,
            env=environment,
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
        )
        deadline = None if timeout is None else start + timeout
        while True:
            if deadline is None:
                _, status, usage = os.wait4(process.pid, 0)
                break
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.perf_counter() > deadline:
                process.kill()
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.002)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Timed(
            seconds,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024,
            process.returncode,
            out.read(),
            err.read(),
        )


def run_irezone(program, plan, threads=1, ranks=1, sets=(), keep=None, extra=(), timeout=None):
    """Run a plan (a dictionary) and return (Timed, summary or None). One processor per thread of every rank."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "plan.yaml"
        path.write_text(json.dumps(plan, indent=1))  # JSON is YAML
        command = [program, "run", path, "-o", keep or folder, "--threads", threads, "-q"]
        for text in sets:
            command += ["--set", text]
        if extra:
            command += ["--", *extra]
        if ranks > 1:
            command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", ranks, *command]
        env = {"OMP_NUM_THREADS": str(threads)}
        if os.geteuid() == 0:
            env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        result = timed(command, cores(threads * ranks), env, folder, timeout)
        summary = pathlib.Path(keep or folder) / (plan["name"] + ".json")
        if result.code != 0 or not summary.is_file():
            return result, None
        return result, json.loads(summary.read_text())


# The case of the comparison, also in two_needles/*: lengths in mm.
SIGMOID = {"law": "sigmoid", "low": 0.1, "high": 0.35, "center": 580, "width": 80}


def two_needles(mesh):
    """Plan of the comparison on a loaded mesh (a path) or a generated one (settings)."""
    plan = {
        "name": "two_needles",
        "mesh": mesh,
        "tissues": {"default": {"sigma": SIGMOID, "threshold": 500}},
        "pulses": [{"from": "A", "to": "B", "voltage": 3000}],
        "zone": {"threshold": 500},
    }
    if "file" in mesh:
        plan["probes"] = [{"name": "A", "surface": "A"}, {"name": "B", "surface": "B"}]
    else:
        plan["array"] = {"count": 2, "spacing": 20, "exposure": 20}
    return plan


# Names of the stored meshes: the scale h of two_needles.geo that gives about so many tetrahedra.
SIZES = {"18k": 1.07, "43k": 0.79, "146k": 0.525, "374k": 0.382, "1.07M": 0.269}

# What each program reads fastest: MSH 4.1 for FEniCSx and irezone, MSH 2.2 for GetDP, Medit's format for FreeFEM.
SUFFIXES = (".msh", ".22.msh", ".mesh")


def make_mesh(size):
    """Path without ending of a stored mesh, made with Gmsh if it is not there yet."""
    base = cache_dir() / f"two_needles-{size}"
    if all(base.with_name(base.name + suffix).is_file() for suffix in SUFFIXES):
        return base
    import gmsh

    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("General.NumThreads", 1)
        gmsh.onelab.set(json.dumps({"type": "number", "name": "Parameters/h", "values": [SIZES[size]]}))
        gmsh.open(str(CASE / "two_needles.geo"))
        gmsh.model.mesh.generate(3)
        gmsh.option.setNumber("Mesh.Binary", 1)
        gmsh.option.setNumber("Mesh.SaveElementTagType", 2)
        for suffix, version in zip(SUFFIXES, (4.1, 2.2, 0)):
            if version:
                gmsh.option.setNumber("Mesh.MshFileVersion", version)
            temporary = base.with_name(base.name + ".part" + suffix)
            gmsh.write(str(temporary))
            temporary.rename(base.with_name(base.name + suffix))
    finally:
        gmsh.finalize()
    return base


def tetrahedra(base):
    """Number of tetrahedra of a stored mesh."""
    lines = open(base.with_name(base.name + ".mesh"))
    for line in lines:
        if line.strip() == "Tetrahedra":
            return int(next(lines))
    return 0


def print_table(rows, titles):
    """Plain text table: the first column to the left, the others to the right."""
    cells = [titles] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(titles))]
    for row in cells:
        print("  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths))).rstrip())
