"""The pytest plugin, in a project with packages of its own called gateway, simulator and tests.

knary is installed there from its wheel; pytest runs in a process of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.instance import ROOT

pytestmark = pytest.mark.timeout(180)

RUN_S_MAX = 150.0
SERVICE = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
        - image: registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56
          env: [{name: TARGET, value: TEXT}]
"""

PREAMBLE = f'''\
import os
import pytest
import gateway, simulator, tests
import knary as package
from knary import Emulator, SplitError

SERVICE = """{SERVICE}"""

def test_the_projects_own_packages_are_the_ones_imported():
    assert gateway.MINE and simulator.MINE and tests.MINE
'''


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder like site-packages, with what knary's wheel puts there."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "packages")
    return folder / "packages"


class Project:
    """A repository with tests of its own."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder = folder
        self._site = site
        for name in ("gateway", "simulator", "tests"):
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text("MINE = True\n")

    def test(
        self, source: str, *options: str, settings: str = "", preamble: str = PREAMBLE
    ) -> tuple[int, str]:
        """Run pytest over a file of tests; return its exit status and what it printed."""
        (self.folder / "tests" / "test_it.py").write_text(preamble + source)
        (self.folder / "pytest.ini").write_text(
            f"[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n{settings}"
        )
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            "PYTHONPATH": os.pathsep.join([str(self._site), str(self.folder)]),
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
            cwd=self.folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path, site: Path) -> Project:
    return Project(tmp_path, site)


STORY = """
seen = []

@pytest.fixture(scope="session")
def instance(knary_emulator):
    return knary_emulator.env["KNARY_DATA"]

def canary(knary):
    knary.apply(SERVICE.replace("TEXT", "one"))
    knary.apply(SERVICE.replace("TEXT", "two"))
    knary.traffic("hello", {"00001": 50, "00002": 50})

@pytest.mark.parametrize("again", range(3))
def test_each_test_begins_anew_on_the_same_instance(knary: Emulator, instance, again):
    assert package.__file__.startswith(os.environ["PYTHONPATH"].split(os.pathsep)[0])
    assert knary.env["KNARY_DATA"] == instance
    assert knary.request("hello").status == 404
    canary(knary)
    knary.assert_split("hello", {"00001": 50, "00002": 50})
    seen.append("".join(knary.request("hello").revision[-1] for _ in range(30)))

def test_with_the_seed_of_the_settings_each_saw_the_same_turns():
    assert len(set(seen)) == 1, seen

@pytest.mark.knary(seed=8)
def test_a_marker_may_give_another_seed(knary, instance):
    assert knary.env["KNARY_DATA"] == instance
    canary(knary)
    assert "".join(knary.request("hello").revision[-1] for _ in range(30)) not in seen

@pytest.mark.knary(splitter="random", workers=2)
def test_another_splitter_is_another_instance(knary, instance):
    assert knary.env["KNARY_DATA"] != instance
    assert knary.status["splitter"] == "random"
    assert len(knary.status["workers"]) == 2

def test_asyncio(async_knary):
    import asyncio

    async def scenario():
        await async_knary.apply(SERVICE.replace("TEXT", "async"))
        return await async_knary.request("hello")

    assert asyncio.run(scenario()).text == "Hello async!\\n"
"""


def test_the_fixtures_in_a_project_with_packages_of_the_same_names(project: Project) -> None:
    status, printed = project.test(STORY, settings="knary_seed = 7\n")
    assert status == 0, printed
    assert "8 passed" in printed


def test_a_failure_says_what_there_was_and_what_was_printed(project: Project) -> None:
    status, printed = project.test(
        """
def test_it(knary):
    knary.apply(SERVICE.replace("TEXT", "one"))
    knary.request("hello")
    assert False, "as it must"

@pytest.fixture
def broken(knary):
    knary.apply(SERVICE.replace("TEXT", "one").replace("helloworld-go:", "nobody:"))

def test_that_is_not_even_reached(broken):
    pass
"""
    )
    assert status == 1, printed
    for said in (
        "knary: services and revisions",
        "service default/hello: Ready True",
        "100 % to hello-00001",
        "knary: events",
        "Created Configuration hello",
        "knary: what replicas printed",
        "helloworld: starting server",
        "knary: the instance's log",
        "1 failed, 1 passed, 1 error",
    ):
        assert said in printed, printed
    assert re.search(r"NotReady: Service 'hello' is not ready.*nobody", printed, re.DOTALL), printed


def test_who_does_not_ask_for_it_loads_nothing_of_it(project: Project) -> None:
    status, printed = project.test(
        """
import sys

def test_it():
    assert {name for name in sys.modules if name.startswith("knary")} == {
        "knary", "knary.pytestplugin"
    }
    assert "yaml" not in sys.modules
""",
        preamble="",
    )
    assert status == 0, printed


def test_settings_that_make_no_sense_are_told(project: Project) -> None:
    status, printed = project.test(
        "def test_it(knary): pass\n"
        "@pytest.mark.knary(colour='red')\n"
        "def test_marked(knary): pass\n",
        settings="knary_splitter = fair\n",
    )
    assert status == 1
    assert "'fair' is not one of" in printed
    assert "the marker knary takes splitter, workers, seed" in printed


def test_with_manifests_each_test_begins_with_them(project: Project) -> None:
    (project.folder / "base.yaml").write_text(SERVICE.replace("TEXT", "base"))
    status, printed = project.test(
        """
@pytest.mark.parametrize("again", range(2))
def test_it(knary, again):
    assert knary.request("hello").text == "Hello base!\\n"
    knary.delete("ksvc", "hello")
""",
        settings="knary_manifests = base.yaml\n",
    )
    assert status == 0, printed


def test_each_process_of_xdist_has_an_instance_of_its_own(project: Project) -> None:
    pytest.importorskip("xdist")
    status, printed = project.test(
        """
@pytest.mark.parametrize("number", range(6))
def test_it(knary, number):
    knary.apply(SERVICE.replace("TEXT", f"n{number}"))
    assert knary.request("hello").text == f"Hello n{number}!\\n"
""",
        "-n",
        "2",
    )
    assert status == 0, printed
    assert "7 passed" in printed
