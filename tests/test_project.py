"""The project's own files: locks, set-up, Makefile, and what no file may say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Written so that no line of this file matches itself.
FORBIDDEN = {
    "a folder of somebody's machine": (
        r"(?<![\w.}])/(?:Users|root|work|opt)/[\w.-]+|/home/(?!me\b|u\b)[\w.-]+"
    ),
    "an address of a package index": r"index[-]url|find[-]links|/[s]imple/|file:/{3}",
}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".sh", ".lua", ".cfg", ""}
PASSED_OVER = {".git", "out", "__pycache__", "dist", "build"}


def project_files() -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.suffix in TEXT
        and not any(
            part in PASSED_OVER or part.startswith(".venv") or part.endswith("_cache")
            for part in path.relative_to(ROOT).parts
        )
        and ".hypothesis" not in path.parts
    )


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "locks" / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    assert [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in project_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if (found := pattern.search(line))
    ] == []


@pytest.mark.parametrize("lock", ["runtime.txt", "develop.txt"])
def test_every_pin_of_a_lock_has_its_hashes(lock: str) -> None:
    text = (ROOT / "locks" / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text[text.index("\n", text.rindex("# ")) :].strip())
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_develop_lock_holds_the_runtime_locks_pins() -> None:
    assert pins("runtime.txt").items() <= pins("develop.txt").items()


def test_the_locks_hold_whatever_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["dependency-groups"]["build"],
    ]
    develop = [
        *project["project"]["optional-dependencies"]["dev"],
        *project["dependency-groups"]["clients"],
    ]
    assert {named(line) for line in runtime} <= pins("runtime.txt").keys()
    assert {named(line) for line in develop} <= pins("develop.txt").keys()


def named(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace("_", "-")


def test_help_names_every_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"\.PHONY: ((?:.*\\\n)*.*)", makefile)
    assert phony
    targets = phony[1].replace("\\", " ").split()
    command = ["make", "--no-print-directory", "help"]  # these tests may run under make themselves
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(line.split()[1] for line in shown.stdout.splitlines()) == sorted(targets)


@pytest.mark.parametrize(
    ("pythons", "told"),
    [
        pytest.param({}, "no Python is found. Python 3.11 or newer is needed", id="none"),
        pytest.param(
            {"python3": "3.9.2 venv"},
            "Python 3.11 or newer is needed, and python3 is 3.9.2",
            id="only an old one",
        ),
        pytest.param(
            {"python3": "3.11.2 bare"},
            "python3 (3.11.2) lacks the venv module. On Debian and Ubuntu: apt install",
            id="one without venv",
        ),
        pytest.param(
            {"python3": "3.9.2 venv", "python3.11": "3.11.9 venv", "python3.12": "3.12.1 venv"},
            "with Python 3.12.1 (python3.12)",
            id="the newest suitable one is chosen over an old python3",
        ),
        pytest.param(
            {"python3": "3.11.2 venv", "python3.12": "3.12.1 bare"},
            "with Python 3.11.2 (python3)",
            id="a whole one is chosen over a newer one without venv",
        ),
    ],
)
def test_set_up_says_which_python_it_takes_or_misses(
    tmp_path: Path, pythons: dict[str, str], told: str
) -> None:
    """Each stand-in says what it is, then fails: so the choice is seen and nothing is made."""
    for tool in ("sh", "dirname", "cat", "pwd", "cksum", "rm"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    for name, description in pythons.items():
        stand_in = tmp_path / name
        stand_in.write_text(f"#!/bin/sh\n[ \"$1\" = -c ] && echo '{description}' || exit 3\n")
        stand_in.chmod(0o755)
    done = subprocess.run(
        [tmp_path / "sh", ROOT / ".ci" / "environment", "runtime"],
        env={"PATH": str(tmp_path), "VENV": str(tmp_path / "venv"), "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert told in done.stderr.splitlines()[0]
    assert not (tmp_path / "venv").exists()
