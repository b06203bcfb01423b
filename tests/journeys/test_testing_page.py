"""docs/testing.md, typed: its files in a project of their own, its tests run, its commands too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.support.instance import ROOT

pytestmark = pytest.mark.timeout(180)

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
RUN_S_MAX = 150.0
PLUGIN = "knary.pytestplugin"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    knary = programs / "knary"
    knary.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m knary "$@"\n')
    knary.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
    )


def plugin() -> tuple[str, ...]:
    """Return how pytest is to load the plugin.

    A development environment may have been made before there was an entry point.
    """
    known = {point.value for point in entry_points(group="pytest11")}
    return () if PLUGIN in known else ("-p", PLUGIN)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write each block that begins with a file's name into that file."""
    for block in (one for language in ("yaml", "python", "ini") for one in blocks(language)):
        if name := re.match(r"# (\S+\.\w+)\n", block):
            file = tmp_path / name[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(block)
    return tmp_path


def test_its_tests_pass(project: Path) -> None:
    files = sorted(file.name for file in project.glob("tests/*.py"))
    assert files == ["test_canary.py", "test_marked.py", "test_plain.py"]
    done = run(project, sys.executable, "-m", "pytest", "-q", *plugin())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_its_command_for_a_ci_job_asks_the_service(project: Path) -> None:
    (command,) = (block for block in blocks("sh") if "exec" in block)
    done = run(project, "sh", "-ec", command)
    assert (done.returncode, done.stdout) == (0, "Hello World!\n"), done.stderr


def test_its_commands_exist(project: Path) -> None:
    (commands,) = (block for block in blocks("sh") if "snapshot" in block)
    for line in commands.splitlines():
        words = line.partition("#")[0].split()
        helped = run(project, *words[: 3 if words[1] == "snapshot" else 2], "--help")
        assert helped.returncode == 0, helped.stderr
        for option in (word for word in words if word.startswith("--")):
            assert option in helped.stdout


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readmes_test_passes(readme: str, project: Path) -> None:
    (test,) = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    first = (project / "service.yaml").read_text()
    (project / "service-1.yaml").write_text(first)
    (project / "service-2.yaml").write_text(first.replace("value: World", "value: Knative"))
    (project / "tests" / "test_readme.py").write_text(test)
    done = run(project, sys.executable, "-m", "pytest", "-q", *plugin(), "tests/test_readme.py")
    assert done.returncode == 0, done.stdout + done.stderr
