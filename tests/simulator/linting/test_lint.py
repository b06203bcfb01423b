"""What is said of manifests and scenarios offline, and at which line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulator.linting.files import check_file
from tests.support.instance import KNARY, ROOT, environment

SERVICE = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
      - image: example.com/hello
        ports:
        - containerPort: 8080
"""


PORT = "spec.template.spec.containers[0].ports.containerPort"  # Knative names no index


def said(text: str) -> list[str]:
    return [finding.text for finding in check_file(text, "a.yaml").findings]


def changed(old: str, new: str) -> str:
    assert old in SERVICE
    return SERVICE.replace(old, new)


def test_a_right_service_has_nothing_to_be_said_of_it() -> None:
    checked = check_file(SERVICE, "a.yaml")
    assert (checked.findings, checked.objects, checked.scenarios, checked.others) == ([], 1, 0, 0)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            SERVICE + "  traffic:\n  - {latestRevision: true, percent: 90}\n",
            "a.yaml:12:3: Traffic targets sum to 90, want 100: spec.traffic",
        ),
        (
            changed("8080", "70000"),
            f"a.yaml:10:9: expected 0 <= 70000 <= 65535: {PORT}",
        ),
        (
            changed("image: example.com/hello", "image: ''"),
            "a.yaml:9:9: missing field(s): spec.template.spec.containers[0].image",
        ),
        (
            changed("        ports:", "        port: 1\n        ports:"),
            "a.yaml:10:9: unknown field: spec.template.spec.containers[0].port",
        ),
        (changed("name: hello", "name: Hello"), "a.yaml:4:3: "),
        (changed("name: hello", "name: 7"), "a.yaml:"),
        (
            changed("  name: hello", "  name: hello\n  annotations: {knary.dev/splitter: dice}"),
            "a.yaml:5:",
        ),
        ("a: [", "a.yaml:1:"),
        ("a: 1\na: 2\nkind: x\n", "a.yaml:2:"),
    ],
)
def test_an_error_is_at_its_line(text: str, finding: str) -> None:
    assert any(line.startswith(finding) for line in said(text)), said(text)


def test_the_second_document_has_lines_of_its_own() -> None:
    text = SERVICE + "---\n" + changed("8080", "70000")
    (line,) = said(text)
    assert line.startswith("a.yaml:22:9: ")


def test_the_items_of_a_list_are_objects() -> None:
    whole = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [yaml.safe_load(changed("8080", "70000"))],
    }
    checked = check_file(json.dumps(whole, indent=1), "a.json")
    assert checked.objects == 1
    assert len(checked.findings) == 1
    assert checked.findings[0].line > 5


def test_what_is_not_knarys_is_left_alone() -> None:
    other = "apiVersion: apps/v1beta9\nkind: Unheard\nspec: {}\n---\njust: data\n---\n- 1\n"
    checked = check_file(other, "a.yaml")
    assert (checked.findings, checked.objects, checked.others) == ([], 0, 3)


@pytest.mark.parametrize(
    ("traffic", "advice"),
    [
        ("{latestRevision: true, percent: 10}", "the next change of the template takes them"),
        ("{revisionName: hello-00002}", "neither a percent nor a tag: it does nothing"),
    ],
)
def test_what_is_allowed_and_surprises_is_advised(traffic: str, advice: str) -> None:
    rest = 90 if "percent" in traffic else 100
    text = (
        f"{SERVICE}  traffic:\n  - {traffic}\n  - {{revisionName: hello-00001, percent: {rest}}}\n"
    )
    (finding,) = check_file(text, "a.yaml").findings
    assert (finding.level, finding.line) == ("advice", 13)
    assert advice in finding.message


def story(steps: str) -> str:
    return f"title: A\nsteps:\n{steps}"


SPLIT = "split: {a: 90, b: 10}"
FIVE = "- load: {service: s, requests: 5}"
USERS = "- load: {service: s, rate: 9, background: u}"
EXPECT = f"- expect: {{answers: {{{SPLIT}}}}}"
JUDGED = "- expect: {answers: {of: u}}"


@pytest.mark.parametrize(
    ("steps", "advice"),
    [
        (f"- load: {{service: s, requests: 5}}\n- expect: {{answers: {{{SPLIT}}}}}", "after 80"),
        (f"- load: {{service: s, requests: 80}}\n- expect: {{answers: {{{SPLIT}}}}}", ""),
        (
            f"{FIVE}\n- expect: {{answers: {{{SPLIT}, splitter: random}}}}",
            "a coin needs about",
        ),
        (f"- load: {{service: s, requests: 5}}\n- expect: {{answers: {{{SPLIT}, within: 0}}}}", ""),
        (
            f"{USERS}\n- expect: {{answers: {{of: u, next: 7, {SPLIT}}}}}\n{JUDGED}",
            "7 requests say little about 10 % for b",
        ),
        (
            f"- repeat:\n    times: 2\n    steps:\n    {FIVE}\n    {EXPECT}",
            "5 requests say little",
        ),
    ],
)
def test_a_split_that_proves_nothing_is_advised(steps: str, advice: str) -> None:
    found = [finding.message for finding in check_file(story(steps), "a.yaml").findings]
    assert [advice in message for message in found] == ([True] if advice else [])


def test_the_flaws_of_a_scenario_are_errors() -> None:
    assert said(story("- load: {service: s}")) == [
        "a.yaml:3:9: give either `requests` or `rate`",
    ]


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(DOCUMENTS, st.sampled_from(["metadata", "spec", "kind", "items", "data", "apiVersion"]))
def test_nothing_that_is_written_breaks_the_check(part: object, name: str) -> None:
    document = {**yaml.safe_load(SERVICE), name: part}
    check_file(json.dumps(document), "a.json")
    check_file(json.dumps(part), "a.json")


def lint(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KNARY, "lint", *words],
        input=stdin,
        env=environment(ROOT / "nowhere" / "data"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_command_ends_as_a_hook_needs_it(tmp_path: Path) -> None:
    good, weak = tmp_path / "good.yaml", tmp_path / "below" / "weak.yaml"
    weak.parent.mkdir()
    good.write_text(SERVICE)
    assert lint(str(good)).returncode == 0
    weak.write_text(
        story(f"- load: {{service: s, requests: 5}}\n- expect: {{answers: {{{SPLIT}}}}}")
    )
    assert lint(str(tmp_path)).returncode == 0
    strict = lint("--strict", str(tmp_path))
    assert strict.returncode == 1
    assert f"{weak}:4:1: advice: 5 requests say little" in strict.stdout
    assert "0 errors, 1 advice in 1 objects and 1 scenarios." in strict.stderr
    broken = lint("-o", "json", "-", stdin=changed("8080", "70000"))
    assert broken.returncode == 1
    document = json.loads(broken.stdout)
    assert (document["schema"], document["errors"]) == ("knary.lint/v1", 1)
    assert document["findings"][0] | {"file": "stdin", "line": 10} == document["findings"][0]
    missing = lint("none.yaml")
    assert missing.returncode == 2
    assert "none.yaml: No such file or directory" in missing.stderr
    (tmp_path / "empty").mkdir()
    assert "no .yaml, .yml, .json file" in lint(str(tmp_path / "empty")).stderr


def test_what_knary_brings_is_right() -> None:
    assert lint(str(ROOT / "scenarios")).returncode == 0
