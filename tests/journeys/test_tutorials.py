"""What the tutorials tell to type, typed; and the site's map of pages."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.instance import COMMAND_S_MAX, KNARY, ROOT, Instance, environment

DOCS = ROOT / "docs"

pytestmark = pytest.mark.timeout(180)


def steps(page: str) -> list[tuple[str, str]]:
    """Return the blocks to be typed, in order: `sh` must succeed, `fails` must not."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"```(sh|fails)\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("page", ["tutorial-learn.md", "tutorial-measure.md"])
def test_a_tutorial_goes_as_written(page: str, tmp_path: Path) -> None:
    with Instance() as knary:
        for kind, block in steps(page):
            done = subprocess.run(
                ["/bin/sh", "-eu"],
                input=f'knary() {{ {shlex.join(KNARY)} "$@"; }}\n{block}',
                capture_output=True,
                text=True,
                env=environment(knary.data),
                cwd=tmp_path,
                timeout=COMMAND_S_MAX,
                check=False,
            )
            assert (done.returncode == 0) is (kind == "sh"), block + done.stdout + done.stderr
            assert "Usage:" not in done.stderr
            assert "a bug in knary" not in done.stderr


def test_every_page_is_on_the_map() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = re.findall(r"[\w-]+\.md", str(site["nav"]))
    assert sorted(listed) == sorted(path.name for path in DOCS.glob("*.md"))


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_what_a_page_links_to_is_there(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
