"""`knary exec`, `wait`, `reset`, `snapshot`, `--import`, `--export-on-exit`, as one types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.instance import COMMAND_S_MAX, HELLO, KNARY, ROOT, Instance
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(120)

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
MANIFEST = f"""\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers: [{{image: "{HELLO}"}}]
"""


def run_exec(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KNARY, "exec", *words],
        env=ENVIRONMENT,
        input=stdin,
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
    )


SCRIPT = """
import os, sys, urllib.request
request = urllib.request.Request(os.environ["KNARY_GATEWAY"])
request.add_header("Host", "hello.default.example.com")
print(urllib.request.urlopen(request).read().decode().strip())
print(sys.stdin.read().strip(), sys.argv[1:])
print(os.environ["KNARY_DATA"], os.path.exists(os.environ["KUBECONFIG"]))
sys.exit(int(sys.argv[1]))
"""


def test_a_command_has_a_knary_for_as_long_as_it_runs(tmp_path: Path) -> None:
    manifest = tmp_path / "hello.yaml"
    manifest.write_text(MANIFEST)
    command = (sys.executable, "-c", SCRIPT, "7", "--splitter", "x")
    done = run_exec("-f", str(manifest), "--", *command, stdin="what it is given")
    assert (done.returncode, done.stderr) == (7, "")
    answer, given, where = done.stdout.splitlines()
    assert answer == "Hello World!"
    assert given == "what it is given ['7', '--splitter', 'x']"
    data, there = where.split()
    assert there == "True"
    assert not Path(data).exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        pytest.param(("no-such-command",), 127, "no-such-command: command not found", id="127"),
        pytest.param((str(ROOT / "README.md"),), 126, "permission denied", id="126"),
        pytest.param(("--", "sh", "-c", "kill -9 $$"), 137, "", id="killed"),
        pytest.param(("--splitter", "fair", "true"), 2, "'fair' is not one of", id="usage"),
        pytest.param(("--colour", "red", "true"), 2, "no such option: --colour", id="an option"),
        pytest.param((), 2, "Missing argument", id="no command"),
        pytest.param(
            ("--import", str(ROOT / "pyproject.toml"), "true"), 1, "pyproject.toml", id="1"
        ),
    ],
)
def test_how_it_ends(words: tuple[str, ...], status: int, said: str) -> None:
    done = run_exec(*words)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_signal_is_the_commands() -> None:
    waiting = "import signal, sys; signal.signal(15, lambda *_: sys.exit(9)); print(1, flush=True)"
    command = [*KNARY, "exec", "--", sys.executable, "-c", f"{waiting}; signal.pause()"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(COMMAND_S_MAX) == 9
    finally:
        process.kill()
        process.communicate()


def test_an_instance_as_scripts_use_it(tmp_path: Path) -> None:
    manifest, state = tmp_path / "hello.yaml", tmp_path / "state.json"
    manifest.write_text(MANIFEST)
    with Instance("-f", str(manifest), "--export-on-exit", str(state)) as knary:
        assert knary.run("wait").out == "knary is ready.\n"
        assert "'hello'" in knary.run("wait", "hello").out
        missing = knary.run("wait", "nobody", "--timeout", "0", check=False)
        assert (missing.status, missing.err) == (
            4,
            "Error: there is no service 'nobody' in namespace 'default'\n",
        )
        knary.run("service", "create", "other", "--image", HELLO)
        assert "Reset in " in knary.run("reset").out
        assert knary.get("other").status == 404
        assert knary.get("hello").text == "Hello World!\n"  # it was there from the beginning
        knary.run("service", "update", "hello", "--env", "TARGET=two")
        saved = tmp_path / "saved.json"
        knary.run("snapshot", "save", str(saved))
        assert saved.stat().st_mode & 0o077 == 0
        knary.run("reset", "--seed", "7")
        assert knary.get("hello").text == "Hello World!\n"
        knary.run("snapshot", "restore", str(saved))
        assert knary.get("hello").text == "Hello two!\n"
        knary.run("reset", "--baseline")
        knary.run("service", "delete", "hello", "--wait")
        knary.run("reset")
        assert knary.get("hello").text == "Hello two!\n"
        unfit = knary.run("snapshot", "restore", str(manifest), check=False)
        assert unfit.status == 1
        assert unfit.err.startswith(f"Error: {manifest}: ")
        knary.stop()
    assert [one["kind"] for one in json.loads(state.read_bytes())["objects"][:2]] == [
        "Service",
        "Configuration",
    ]
    with Instance("--import", str(state)) as knary:
        assert knary.get("hello").text == "Hello two!\n"
        names = knary.run("get", "revisions", "-o", "name").out.split()
        assert [name.rpartition("/")[2] for name in names] == ["hello-00001", "hello-00002"]
        knary.run("service", "delete", "hello", "--wait")
        knary.run("reset")
        assert knary.get("hello").text == "Hello two!\n"


def test_waiting_begins_before_there_is_an_instance(tmp_path: Path) -> None:
    with Instance() as knary:
        data = knary.data
        knary.stop()
        command = [*KNARY, "wait", "--data", str(data)]
        waiting = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        try:
            knary.start()
            out, _ = waiting.communicate(timeout=COMMAND_S_MAX)
            assert (waiting.returncode, out) == (0, "knary is ready.\n")
        finally:
            waiting.kill()
        knary.stop()
        gone = knary.run("wait", "--timeout", "0", check=False)
        assert gone.status == 4
        eventually("the end", lambda: not knary.left_over())
