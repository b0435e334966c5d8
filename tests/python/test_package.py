"""The Python package: plans, sessions, results, sweeps. Values that are known: plates 10 mm apart have a uniform field."""
import doctest
import os
import threading

import irezone
import numpy as np
import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PLATES = os.path.join(ROOT, "examples", "parallel_plates.yaml")
NEEDLES = os.path.join(ROOT, "examples", "two_probes_liver.yaml")


@pytest.fixture(scope="module", name="session")
def _session():
    with irezone.Session(PLATES, threads=1) as made:
        yield made


def test_plan_values():
    plan = irezone.Plan(NEEDLES)
    assert plan["probes[1].tip"] == [10, 0, -10]
    assert plan["mesh.order"] == 2  # a default
    plan["pulses[0].voltage"] = 2500
    assert plan["pulses[0].voltage"] == 2500
    copy = plan.copy()
    copy["pulses[0].voltage"] = np.float64(2000)
    assert plan["pulses[0].voltage"] == 2500 and copy["pulses[0].voltage"] == 2000
    copy.update({"probes[0].tip": np.array([-11.0, 0, -10]), "probes[1].tip": (11, 0, -10)})
    assert copy["probes[0].tip"] == [-11, 0, -10] and copy["probes[1].tip"] == [11, 0, -10]
    assert copy.to_dict()["probes"][1]["tip"] == [11, 0, -10]
    del copy["pulses[0].voltage"]
    with pytest.raises(irezone.PlanError, match="voltage"):
        copy.check()


def test_plan_dictionary():
    plan = irezone.Plan({
        "name": "mine", "tissues": {"default": {"preset": "liver"}}, "array": {"count": 2, "spacing": 15, "exposure": 20},
        "pulses": [{"from": "A", "to": "B", "voltage": 1500}],
    })  # fmt: skip
    assert isinstance(plan.check(), list)
    assert plan["pulses[0].voltage"] == 1500
    plan["array.spacing"] = 400
    with pytest.raises(irezone.PlanError, match="mesh.size"):
        plan.check()


def test_values_of_presets():
    """The numbers that `irezone tissues liver` prints."""
    plan = irezone.Plan(NEEDLES)
    assert [plan[f"tissues.default.{key}"] for key in ("sigma.low", "sigma.high", "sigma.law", "threshold", "blood")] == [0.08, 0.32, "ramp", 500, False]
    plan["tissues.default.sigma"] = {"high": 0.4}
    plan["zone.threshold"] = 600
    assert plan["tissues.default.sigma.low"] == 0.08 and plan["tissues.default.sigma.high"] == 0.4 and plan["tissues.default.threshold"] == 600
    plan["tissues.default.sigma"] = {"law": "constant", "value": 0.2}
    for key in ("tissues.default.sigma.low", "tissues.default.sigma.lwo", "tissues.nowhere.threshold"):
        with pytest.raises(irezone.PlanError, match=key.split(".")[-1]):
            plan[key]


def test_plan_key_by_key():
    plan = irezone.Plan()
    with pytest.raises(irezone.PlanError, match="^plan: tissues: missing"):
        plan.check()
    plan.update({"tissues.default.preset": "liver", "array": {"count": 2, "spacing": 15, "exposure": 20},
                 "pulses": [{"from": "A", "to": "B", "voltage": 1500}]})  # fmt: skip
    assert plan["array.spacing"] == 15 and isinstance(plan.check(), list)
    with pytest.raises(irezone.PlanError, match="^plan: pulse: unknown key; did you mean"):
        irezone.Plan({**plan.to_dict(), "pulse": 1}).check()


@pytest.mark.parametrize("value", [{1, 2}, (i for i in (1, 2)), 1j, b"1", {"a": [{1}]}, print, np.array([1j])])
def test_values_of_wrong_kind(value):
    with pytest.raises(irezone.PlanError, match="cannot hold"):
        irezone.Plan(NEEDLES)["pulses[0].voltage"] = value


@pytest.mark.parametrize("what, said", [
    (lambda: irezone.Plan(3), "path of a file, a dictionary or a Plan"), (lambda: irezone.Plan(ROOT), "is a folder"),
    (lambda: irezone.Plan(NEEDLES)[0], "no key path"), (lambda: irezone.solve(None), "no plan to solve"),
    (lambda: irezone.solve({}), "^plan: tissues: missing"), (lambda: irezone.solve(NEEDLES, 3), "changes are a dictionary"),
    (lambda: irezone.solve(NEEDLES, {3: 1}), "no key path"), (lambda: irezone.Session(NEEDLES, command="irezone"), "list of words"),
    (lambda: irezone.Session(NEEDLES, command=[]), "empty"), (lambda: irezone.Session(NEEDLES, progress=3), "function"),
    (lambda: irezone.sweep(NEEDLES, {"pulses[0].voltage": {1000, 2000}}, "/nowhere"), "cannot hold"),
    (lambda: irezone.sweep(None, {}, "/nowhere"), "no plan"),
])  # fmt: skip
def test_arguments_of_wrong_kind(what, said):
    with pytest.raises(irezone.PlanError, match=said):
        what()


@pytest.mark.parametrize("command, said", [(["/bin/echo"], "not `irezone serve`: it said 'serve'"), (["/bin/cat", "/dev/null"], "serve"), (["/bin/true"], "status 0")])
def test_another_program(command, said):
    with irezone.Session(NEEDLES, command=command) as other:
        for _ in range(2):
            with pytest.raises(irezone.IrezoneError, match=said):
                other.solve()


@pytest.mark.parametrize("path", ["", "a..b", "[0]", "a[x]", ".a", "a[1"])
def test_wrong_paths(path):
    with pytest.raises(irezone.PlanError):
        irezone.Plan(NEEDLES)[path] = 1


def test_errors():
    with pytest.raises(irezone.PlanError, match="no such file"):
        irezone.Plan("/nowhere.yaml")
    plan = irezone.Plan(PLATES)
    plan["mesh.file"] = "/nowhere.msh"
    with pytest.raises(irezone.InputError, match="nowhere"):
        irezone.solve(plan)
    assert irezone.solve(PLATES).volume_cm3 > 0  # after an error it goes on


def test_result(session):
    result = session.solve({"pulses[0].voltage": 777})
    assert result["pulses[0].voltage_V"] == 777 and result.summary["pulses"][0]["voltage_V"] == 777
    assert result.volume_cm3 > 0 and result.volume_error_cm3 >= 0 and result.current_A > 0
    region = result.summary["zone"]["by_region"][0]["region"]
    assert result[f"zone.by_region.{region}.volume_cm3"] > 0
    samples = result.sample(np.full((4, 3), 2.5))
    assert samples.field_V_per_cm == pytest.approx(np.full(4, 777), rel=1e-6) and samples.zone.all()
    assert samples.potential_V.shape == (4, 1)
    outside = result.sample([500, 0, 0])
    assert np.isnan(outside.field_V_per_cm) and not outside.zone
    other = session.solve({"pulses[0].voltage": 600})
    assert other.sample([0, 0, 2.5]).field_V_per_cm == pytest.approx(600)
    assert result.sample([0, 0, 2.5]).field_V_per_cm == pytest.approx(777), "a result stays what it was"
    points, triangles = result.zone
    assert points.shape[1] == 3 and triangles.max() < len(points)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    enclosed = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6e3
    assert enclosed == pytest.approx(result.volume_cm3, rel=2e-3)


@pytest.mark.parametrize("shape", [(3, 2), (3, 4), (6,), (2,), (2, 2, 3)])
def test_points_of_wrong_shape(session, shape):
    with pytest.raises(irezone.PlanError, match="shape"):
        session.solve().sample(np.ones(shape))


def test_points(session):
    result = session.solve()
    none = result.sample([])
    assert none.field_V_per_cm.shape == (0,) and none.potential_V.shape == (0, 1) and none.zone.shape == (0,)
    with pytest.raises(irezone.PlanError, match="finite"):
        result.sample([[0, 0, np.nan]])
    with pytest.raises(irezone.PlanError, match="cannot be sent"):
        session.solve({"pulses[0].voltage": float("nan")})


def test_write(session, tmp_path):
    path = session.solve().write(tmp_path)
    assert os.path.exists(path) and os.path.exists(path[: -len("json")] + "hdf")


def test_cancel():
    seen = threading.Event()
    with irezone.Session(NEEDLES, progress=lambda stage, done: seen.set()) as session:
        threading.Thread(target=lambda: (seen.wait(), session.cancel())).start()
        with pytest.raises(irezone.CancelledError):
            session.solve({"mesh.accuracy": 0.3})
        assert session.solve({"mesh.accuracy": 20, "mesh.order": 1}).volume_cm3 > 0


def test_dead_process(session):
    with irezone.Session(PLATES) as other:
        other._process.kill()
        for _ in range(2):
            with pytest.raises(irezone.IrezoneError, match="SIGKILL"):
                other.solve()
    assert session.solve().volume_cm3 > 0
    with irezone.Session(PLATES) as other:
        pass
    with pytest.raises(irezone.IrezoneError, match="closed"):
        other.solve()


def test_no_program(monkeypatch):
    monkeypatch.setenv("IREZONE", "/nowhere")
    with pytest.raises(irezone.IrezoneError, match="nowhere"):
        irezone.Session(PLATES)


def test_sweep(tmp_path):
    plan = irezone.Plan(PLATES)
    plan["name"] = "swept"  # a change, so that the plan is written anew: its mesh must still be found
    voltages = [600, 700, 800]
    table = irezone.sweep(plan, {"pulses[0].voltage": voltages}, tmp_path / "out", columns=["pulses[0].resistance_ohm"])
    assert list(table["pulses[0].voltage"]) == voltages and set(table["status"]) == {"converged"}
    assert (table["volume_cm3"] > 0).all() and table["pulses[0].resistance_ohm"] == pytest.approx(table["pulses[0].voltage"] / table["current_A"])
    again = irezone.sweep(plan, {"pulses[0].voltage": voltages}, tmp_path / "out", columns=["pulses[0].resistance_ohm"])
    assert (again["volume_cm3"] == table["volume_cm3"]).all(), "a sweep that is whole is not run again"


def test_examples_in_docstrings(monkeypatch):
    """What the docstrings show runs; values are not compared."""
    monkeypatch.chdir(os.path.dirname(NEEDLES))
    namespace = {"irezone": irezone}
    for example in doctest.DocTestParser().get_examples(irezone.__doc__.replace("plan.yaml", os.path.basename(NEEDLES))):
        exec(example.source, namespace)  # pylint: disable=exec-used
    assert namespace["result"].volume_cm3 > 1
