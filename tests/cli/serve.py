#!/usr/bin/python3
"""serve.py IREZONE: requests to `irezone serve`, right ones, wrong ones, and rubbish; what comes back, and that it lives on."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PLATES = os.path.join(ROOT, "examples", "parallel_plates.yaml")
CANCELLED = 7


class Server:
    """A process of `irezone serve`."""

    def __init__(self, program, *arguments, ranks=1):
        command = [program, "serve", *arguments]
        if ranks > 1:
            command = ["mpiexec", "--oversubscribe", "-n", str(ranks), *command]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
                       "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}  # fmt: skip
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)

    def send(self, request):
        """Send an object, or bytes as they are."""
        line = request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n"
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def receive(self):
        """The next line."""
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), self.process.stderr.read().decode()
        return json.loads(line)

    def ask(self, request):
        """Send and receive."""
        self.send(request)
        return self.receive()

    def memory(self):
        """kB that it holds."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))

    def end(self):
        """End its input; it must end well, without a word."""
        self.process.stdin.close()
        left = self.process.stdout.read()
        complaint = self.process.stderr.read().decode()
        assert self.process.wait(60) == 0, complaint
        assert left == b"" and complaint == "", (left, complaint)


def check_answers(program):
    """Right requests: plates 1 cm apart have a field that is known."""
    server = Server(program, PLATES)
    base = server.ask({"id": 1})
    assert base["ok"] and base["id"] == 1 and base["seconds"] > 0
    voltage = base["summary"]["pulses"][0]["voltage_V"]
    halved = server.ask({"id": "two", "set": {"pulses[0].voltage": voltage / 2}})
    assert halved["id"] == "two" and halved["summary"]["pulses"][0]["voltage_V"] == voltage / 2
    again = server.ask({"id": 3})
    assert again["summary"]["pulses"][0]["voltage_V"] == voltage, "`set` counts from the plan as started"
    kept = server.ask({"set": {"pulses[0].voltage": 777}, "keep": True, "want": ["check"]})
    assert kept["ok"] and kept["id"] is None and "summary" not in kept
    assert server.ask({"get": ["pulses[0].voltage", "mesh.order"], "want": ["plan"]})["values"] == {"pulses[0].voltage": 777, "mesh.order": 2}
    tree = server.ask({"want": ["plan"]})["plan"]
    answer = server.ask({"plan": tree, "folder": os.path.dirname(PLATES), "set": {"pulses[0].voltage": 500}})
    assert answer["ok"], answer
    points = [[0, 0, 2.5], [500, 0, 0]]
    sampled = server.ask({"want": [], "sample": {"points_mm": points}})["sample"]
    gap = 1.0  # cm
    assert abs(sampled["field_V_per_cm"][0] - 777 / gap) < 1e-6 * 777, sampled
    assert sampled["field_V_per_cm"][1] is None and sampled["zone"] == [1, 0]
    values = server.ask({"want": [], "sample": {"points_mm": points[:1], "quantities": ["potential_V"]}})["sample"]
    assert abs(values["potential_V"][0] - 777 / 4) < 1e-3, values
    zone = server.ask({"want": ["zone", "histogram"]})
    assert len(zone["zone"]["points_mm"]) > 3 and max(max(t) for t in zone["zone"]["triangles"]) < len(zone["zone"]["points_mm"])
    histogram = zone["histogram"]
    region = histogram["regions"][0]
    at = dict(zip(histogram["field_V_per_cm"], region["cm3_at_or_above"]))
    assert abs(at[750] - region["volume_cm3"]) < 1e-6 and at[800] < 1e-9, "a uniform field of 777 V/cm"
    with tempfile.TemporaryDirectory() as folder:
        assert server.ask({"want": [], "write": folder})["ok"]
        with open(os.path.join(folder, "parallel-plates.json"), encoding="utf-8") as file:
            assert json.load(file)["pulses"][0]["voltage_V"] == 777
    for line, said in [(b'{"plan": "x"}\n', "plan: must be an object; a plan's file is stated with load"),
                       (b'{"plan": {"name": "x"}}\n', "plan: tissues: missing"), (b'{"plan": {"nam": "x"}}\n', "plan: nam: unknown key"),
                       (b'{"cancel": null}\n', "no request with the id null"), (b'{"cancel": "a"}\n', 'the id "a" is'),
                       (b'{"cancel": 1, "set": {}}\n', "a request of its own")]:  # fmt: skip
        answer = server.ask(line)
        assert answer["code"] == 2 and said in answer["error"] and "/" not in answer["error"], answer
    whole = {key: tree[key] for key in tree if key != "pulses"}
    answer = server.ask({"plan": whole, "folder": os.path.dirname(PLATES), "set": {"pulses": tree["pulses"]}, "want": ["check"]})
    assert answer["ok"], "a plan that is made whole by set"
    server.send({"id": 9, "progress": True, "set": {"pulses[0].voltage": 600}})
    seen = []
    while not seen or "progress" in seen[-1]:
        seen.append(server.receive())
    assert len(seen) > 1 and all(line["id"] == 9 for line in seen) and seen[-1]["ok"]
    server.end()


RUBBISH = [
    b"\n", b"   \r\n", b"{\n", b"[1, 2]\n", b"null\n", b"\xff\xfe{}\n", b'{"id": 1, "id": 2}\n', b"\x00\x00\n", b"[" * 5000 + b"\n",
    b'{"set": {"pulses[0].voltage": 1e999}}\n', b'{"set": {"pulses[0].voltage": NaN}}\n', b'{"set": [1]}\n', b'{"set": {"": 1}}\n',
    b'{"set": {"pulses[99].voltage": 1}}\n', b'{"set": {"pulses[0].voltage": {"a": [1]}}}\n', b'{"set": {"pulses[0].voltag": 1}}\n',
    b'{"set": {"mesh.file": "/nowhere.msh"}}\n', b'{"set": {"pulses[0].voltage": -5}}\n', b'{"set": {"a\\nb": "c\\u001b[2J"}}\n',
    b'{"want": "summary"}\n', b'{"want": ["sumary"]}\n', b'{"want": [1]}\n', b'{"wnat": []}\n', b'{"load": 5}\n', b'{"load": "/nowhere.yaml"}\n',
    b'{"plan": 3}\n', b'{"plan": {}}\n', b'{"plan": {}, "load": "x"}\n', b'{"plan": {"probes": [[[[]]]]}}\n', b'{"sample": 4, "want": []}\n',
    b'{"want": [], "sample": {"points_mm": [[1, 2]]}}\n', b'{"want": [], "sample": {"points_mm": [[1, 2, "x"]]}}\n',
    b'{"want": [], "sample": {"points_mm": [], "quantities": ["colour"]}}\n', b'{"get": ["nothing"]}\n', b'{"get": 5}\n', b'{"cancel": 77}\n',
    b'{"want": [], "write": "/proc/nowhere"}\n', b'{"folder": "' + b"x" * 9000 + b'", "plan": {}}\n',
]  # fmt: skip


def check_rubbish(program):
    """Each is one line back that says what is wrong, and the process lives on; memory does not grow."""
    server = Server(program, PLATES)
    assert server.ask({"id": 0})["ok"]
    held = None
    for turn in range(12):
        for line in RUBBISH:
            server.send(line)
            if line.strip() == b"":
                continue
            answer = server.receive()
            assert answer["ok"] is False and answer["code"] in (2, 3, 5), (line, answer)
            assert answer["error"] and "\n" not in answer["error"] and "\x1b" not in answer["error"], (line, answer)
        for voltage in range(600, 640):
            answer = server.ask({"id": voltage, "set": {"pulses[0].voltage": voltage}})
            assert answer["summary"]["pulses"][0]["voltage_V"] == voltage
        if turn == 3:
            held = server.memory()
    assert server.memory() < held + 2048, (held, server.memory())
    server.send(b'{"id": "last"}')  # no newline: the input ends here
    server.process.stdin.close()
    assert server.receive()["id"] == "last"
    assert server.process.wait(60) == 0
    print(f"{12 * (len(RUBBISH) + 40)} requests")


def check_cancel(program):
    """What waits, and what runs, can be cancelled; what is asked then is answered."""
    server = Server(program, os.path.join(ROOT, "examples", "two_probes_liver.yaml"))
    for number in (1, 2):
        server.send({"id": number, "set": {"mesh.accuracy": 0.3 + 0.01 * number}, "progress": True})
    assert "progress" in server.receive()  # the first is at work
    server.send({"id": "c2", "cancel": 2})
    server.send({"id": "c1", "cancel": 1})
    start = time.monotonic()
    answers = {}
    while len(answers) < 4:
        line = server.receive()
        if "progress" not in line:
            answers[line["id"]] = line
    assert answers["c1"]["ok"] and answers["c2"]["ok"]
    assert answers[1]["code"] == CANCELLED and answers[2]["code"] == CANCELLED, answers
    assert server.ask({"id": 3, "set": {"mesh.accuracy": 20, "mesh.order": 1}})["ok"]
    assert not server.ask({"id": 4, "cancel": 1})["ok"], "it has ended"
    server.send({"set": {"mesh.accuracy": 0.35}})
    server.send({"id": "c", "cancel": None})
    first, second = server.receive(), server.receive()
    assert first["id"] == "c" and first["ok"] and second["id"] is None and second["code"] == CANCELLED, (first, second)
    server.end()
    print(f"cancelled, and answered the next, in {time.monotonic() - start:.1f} s")


def check_ranks(program):
    """Two ranks answer as one does."""
    numbers = []
    for ranks in (1, 2):
        server = Server(program, PLATES, ranks=ranks)
        server.send(RUBBISH[2])
        assert not server.receive()["ok"]
        assert not server.ask({"set": {"pulses[0].voltage": "x"}})["ok"]
        answer = server.ask({"id": 5, "set": {"pulses[0].voltage": 800}, "want": ["summary"], "sample": {"points_mm": [[0, 0, 0]]}})
        numbers.append((answer["summary"]["zone"]["volume_cm3"], answer["sample"]["field_V_per_cm"][0]))
        server.process.stdin.close()
        assert server.process.wait(60) == 0
    assert all(abs(a - b) < 1e-6 * abs(b) for a, b in zip(*numbers)), numbers


def main():
    """All of it."""
    program = os.path.abspath(sys.argv[1])
    check_answers(program)
    check_rubbish(program)
    check_cancel(program)
    check_ranks(program)
    wrong = subprocess.run([program, "serve", "/nowhere.yaml"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and wrong.stdout == "" and wrong.stderr.count("\n") == 1, wrong


if __name__ == "__main__":
    main()
