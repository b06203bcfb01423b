"""What the README tells a beginner to type, typed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from simulator.images import parse_image_map
from tests.support.instance import COMMAND_S_MAX, KNARY, ROOT, Instance, environment

pytestmark = pytest.mark.timeout(120)

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, section: str) -> list[str]:
    """Return the code blocks of a section of the README, in order."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_first_canary_by_hand_goes_as_written() -> None:
    with Instance() as knary:
        host, port = knary.gateway
        start, *steps = blocks("sh", "Your first canary, by hand")
        assert start == "knary up\n"
        words = shlex.join(KNARY)
        script = "\n".join([f'knary() {{ {words} "$@"; }}', *steps])
        script = script.replace("http://127.0.0.1:8080", f"http://{host}:{port}")
        if shutil.which("curl") is None:
            script = re.sub(r"^curl .*$", "knary curl helloworld-go", script, flags=re.MULTILINE)
        done = subprocess.run(
            ["/bin/sh", "-eu"],
            input=script,
            capture_output=True,
            text=True,
            env=environment(knary.data),
            timeout=COMMAND_S_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answers = re.findall(r"^Hello (\w+)!$", done.stdout, re.MULTILINE)
        assert answers[0] == "World"
        assert sorted(answers[1:7]) == ["Knative"] * 3 + ["World"] * 3
        assert "Knary-Explain: " in done.stdout
        assert re.search(r"^helloworld-go-00002 ", done.stdout, re.MULTILINE)
        assert knary.get("helloworld-go").text == "Hello World!\n"


def test_the_image_map_of_the_readme_is_one() -> None:
    (example,) = blocks("yaml", "Your own program")
    (entry,) = yaml.safe_load(example)
    program = parse_image_map(example, "images.yaml").resolve("example.com/shop:1")
    assert program is not None
    assert list(program.command) == entry["command"]
    assert program.env == {"MODE": "test"}


def test_every_make_target_that_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)) <= targets


def code(text: str) -> list[str]:
    """Return what is typed and written in a README, without the words in comments and pictures."""
    found = re.findall(r"```(sh|yaml)\n(.*?)```", text, re.DOTALL)
    return [re.sub(r" *# .*", "", block) for _, block in found]


def test_the_chinese_readme_says_to_type_the_same() -> None:
    chinese = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    assert code(chinese) == code(README)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "scenarios/README.md"])
def test_what_a_readme_links_to_is_there(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []
