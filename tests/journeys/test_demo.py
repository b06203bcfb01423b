"""`knary demo`, `knary run` and `knary load` as a user starts them: real processes and sockets."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.knary import all_gone, knary, pids_of, read_until, start

pytestmark = pytest.mark.timeout(120)  # 10 s on an idle machine; a busy one is no failure

CHAPTERS = 7


def the_only_folder(home: Path) -> Path:
    (folder,) = folders(home)
    return folder


def folders(home: Path) -> list[Path]:
    return [path for path in home.iterdir() if path.is_dir()]


def test_the_demo_plays_the_whole_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = knary(tmp_path, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    for number in range(1, CHAPTERS + 1):
        assert any(line.startswith(f"[{number}/{CHAPTERS}]") for line in lines)
    assert [line for line in lines if line.lstrip().startswith("FAIL")] == []
    summary, next_to_do = lines[-2:]
    assert summary.startswith("All ")
    assert next_to_do.startswith("Now by hand: ")
    assert folders(tmp_path) == []


def test_the_demo_can_be_kept_looked_at_loaded_and_stopped(tmp_path: Path) -> None:
    done = knary(tmp_path, "demo", "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    data = the_only_folder(tmp_path)
    try:
        assert f"Stop it with: knary down --data {data}" in done.stdout
        pids = pids_of(tmp_path, data)
        answer = knary(tmp_path, "curl", "helloworld-go", KNARY_DATA=str(data))
        assert answer.stdout == "Hello World!\n"

        load = knary(tmp_path, "load", "helloworld-go", "--data", str(data), "--requests", "50")
        assert load.returncode == 0, load.stderr
        assert "helloworld-go-00001" in load.stdout
        words = ("load", "helloworld-go", "--rate", "100", "--duration", "300ms", "--json", "-")
        report = json.loads(knary(tmp_path, *words, "--data", str(data)).stdout)
        assert report["requests"] == report["revisions"]["helloworld-go-00001"]["requests"] == 30
        assert report["errors"] == {}
        words = ("load", "helloworld-go", "--rate", "100..300/2", "--duration", "400ms")
        many = ("--arrivals", "poisson", "--processes", "2", "--json", "-", "--data", str(data))
        report = json.loads(knary(tmp_path, *words, *many).stdout)
        assert report["requests"] > 20
        assert set(report["revisions"]) == {"helloworld-go-00001"}

        again = knary(tmp_path, "run", str(canary_release()), "--data", str(data))
        assert again.returncode == 1
        assert "the service already exists" in again.stdout
    finally:
        stopped = knary(tmp_path, "down", "--data", str(data))
    assert stopped.returncode == 0, stopped.stderr
    all_gone(pids)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_demo_that_is_stopped_half_way_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    with start(tmp_path, "demo") as demo:
        read_until(demo, "[5/7]")
        pids = pids_of(tmp_path, the_only_folder(tmp_path))
        demo.send_signal(number)
        assert demo.stdout is not None
        rest = demo.stdout.read()
    assert demo.returncode == 130
    assert "Traceback" not in rest
    assert "nothing was left behind" in rest
    all_gone(pids)
    assert folders(tmp_path) == []


def test_a_demo_in_a_folder_that_cannot_be_used_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    done = knary(tmp_path, "demo", "--data", "taken")
    assert done.returncode != 0
    assert "taken" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_run_starts_a_fresh_knary_for_each_file_and_judges_all(tmp_path: Path) -> None:
    story = (
        "title: A story\nsteps:\n"
        "- command: knary service create hello --image example.com/helloworld-go\n"
        "- expect: {response: {service: hello, body: Hello World!}}\n"
        "- expect: {condition: {revision: hello-00001}}\n"
    )
    (tmp_path / "good.yaml").write_text(story, encoding="utf-8")
    bad = story.replace("Hello World!", "Goodbye!")
    (tmp_path / "bad.yaml").write_text(bad, encoding="utf-8")
    done = knary(tmp_path, "run", "--up", "good.yaml", "bad.yaml")
    assert done.returncode == 1
    assert "it answered 200 “Hello World!”, want “Goodbye!” (bad.yaml:4)" in done.stdout
    assert "1 of 2 scenarios passed." in done.stdout
    assert folders(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        pytest.param(("run", "broken.yaml"), 2, "broken.yaml:1:1: `steps` is missing", id="broken"),
        pytest.param(("run", "none.yaml"), 2, "none.yaml", id="no such file"),
        pytest.param(("run",), 2, "name a scenario's file", id="no file at all"),
        pytest.param(("run", "good.yaml"), 3, "knary is not running", id="nothing runs"),
        pytest.param(("load", "hello"), 3, "knary is not running", id="nothing to load"),
        pytest.param(("load", "hello", "--rate", "0"), 2, "--rate", id="no rate"),
        pytest.param(
            ("load", "hello", "--rate", "1", "--requests", "1"), 2, "excludes", id="two loads"
        ),
        pytest.param(("load", "hello", "--rate", "1..fast"), 2, "or steps as", id="no ramp"),
        pytest.param(
            ("load", "hello", "--duration", "ten"), 2, "write 500ms, 10s or 1m30s", id="how long"
        ),
        pytest.param(("load", "hello", "--path", "a b"), 2, "--path", id="no path"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(
    tmp_path: Path, words: tuple[str, ...], status: int, told: str
) -> None:
    (tmp_path / "broken.yaml").write_text("title: x\n", encoding="utf-8")
    good = "title: x\nsteps:\n- command: knary service list\n"
    (tmp_path / "good.yaml").write_text(good, encoding="utf-8")
    done = knary(tmp_path, *words)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def canary_release() -> Path:
    return Path(__file__).parents[2] / "scenarios" / "canary-release.yaml"
