"""Every scenario that knary brings holds, on a knary of its own; the two stories have their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.instance import KNARY, ROOT, environment

STORIES = {"canary-release.yaml", "grpc-canary.yaml"}
LIBRARY = sorted((ROOT / "scenarios").glob("*.yaml"))
# The others are played by `make scenarios`, which is part of `make test-all`.
SOME = {"bad-canary.yaml", "flaky-canary.yaml", "sticky-users.yaml", "tag-preview.yaml"}
PLAYED = STORIES ^ {path.name for path in LIBRARY} if os.environ.get("KNARY_SCENARIOS") else SOME


@pytest.mark.parametrize(
    "path", [path for path in LIBRARY if path.name in PLAYED], ids=lambda path: path.stem
)
def test_it_holds(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*KNARY, "run", "--up", str(path)],
        env=environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_library_has_what_its_readme_lists() -> None:
    text = (ROOT / "scenarios" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in LIBRARY if f"({path.name})" not in text] == []
