"""Manifests are parsed whole before anything is sent; errors name file and line."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from simulator.cli.exits import UsageError
from simulator.cli.manifests import load_manifests, parse_manifests

SERVICE = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: {name}
"""


def test_documents_keep_their_order_and_place() -> None:
    text = "# first\n" + SERVICE.format(name="a") + "---\n---\n" + SERVICE.format(name="b")
    found = parse_manifests(text.encode(), "f.yaml")
    assert [(each.name, each.place) for each in found] == [("a", "f.yaml:2"), ("b", "f.yaml:8")]


def test_a_list_is_its_items() -> None:
    text = b"""{"apiVersion": "v1", "kind": "List", "items": [
      {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}]}"""
    (found,) = parse_manifests(text, "f.json")
    assert (found.name, found.namespace("default")) == ("n", "")


def test_an_object_is_in_the_namespace_it_names() -> None:
    (one,) = parse_manifests(SERVICE.format(name="a").encode(), "f")
    (other,) = parse_manifests(SERVICE.format(name="a\n  namespace: shop").encode(), "f")
    assert (one.namespace("default"), other.namespace("default")) == ("default", "shop")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "f.yaml, line "),
        ("- 1", "f.yaml:1: want an object with apiVersion and kind"),
        ("kind: Service", "f.yaml:1: apiVersion is missing"),
        ("\napiVersion: v1\nkind: Pod", "f.yaml:2: metadata.name is missing"),
        (
            "apiVersion: serving.knative.dev/v1\nkind: Servce\nmetadata: {name: a}",
            "f.yaml:1: no kind serving.knative.dev/v1 Servce; did you mean serving.k",
        ),
        ("a: 1\na: 2", "f.yaml, line 2, column 1: "),
        ("a: &x 1\nb: *x", "f.yaml, line 2, column 4: "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_manifests(text.encode(), "f.yaml")
    assert str(caught.value).startswith(message)


def test_a_folder_is_its_manifests_by_name(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.json"):
        (tmp_path / name).write_text(SERVICE.format(name=name[0]) if name[0] != "c" else "{}")
    (tmp_path / "c.json").write_text(
        '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c"}}'
    )
    (tmp_path / "notes.txt").write_text("not a manifest")
    assert [each.name for each in load_manifests([str(tmp_path)])] == ["a", "b", "c"]


def test_stdin_is_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.TextIOWrapper(io.BytesIO(SERVICE.format(name="a").encode()))
    monkeypatch.setattr(sys, "stdin", text)
    assert load_manifests(["-"])[0].place == "stdin:1"


@pytest.mark.parametrize(
    "content", [None, "", "# nothing\n---\n"], ids=["absent", "empty", "blank"]
)
def test_a_file_without_objects_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "f.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"f\.yaml"):
        load_manifests([str(path)])


def test_a_folder_without_manifests_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \.yaml"):
        load_manifests([str(tmp_path)])
