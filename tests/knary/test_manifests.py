"""What `apply` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from knary.manifests import read
from knary.problems import EmulatorError

ONE: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}
TWO: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}
BOTH = f"{json.dumps(ONE)}\n---\n# nothing\n---\n{json.dumps(TWO)}\n"


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(BOTH, id="YAML text"),
        pytest.param([ONE, TWO], id="objects"),
        pytest.param((one for one in (ONE, TWO)), id="an iterator of them"),
        pytest.param(json.dumps({"kind": "List", "items": [ONE, TWO]}), id="a list"),
    ],
)
def test_the_objects_of_a_manifest(manifest: Any) -> None:
    assert read(manifest) == [ONE, TWO]


def test_one_object_is_a_manifest() -> None:
    assert read(ONE) == [ONE]


def test_what_the_api_writes_is_left_to_it() -> None:
    metadata = {
        "name": "one",
        "uid": "u",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "managedFields": [],
        "labels": {"a": "b"},
    }
    found = {**ONE, "metadata": metadata, "status": {"x": 1}}
    assert read(found) == [{**ONE, "metadata": {"name": "one", "labels": {"a": "b"}}}]
    assert found["status"] == {"x": 1}


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_or_a_folder_in_the_order_of_its_names(as_text: bool, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(json.dumps(TWO))
    (tmp_path / "a.yml").write_text(json.dumps(ONE))
    (tmp_path / "README.md").write_text("no manifest")
    given = str if as_text else Path
    assert read(given(tmp_path / "b.yaml")) == [TWO]
    assert read(given(tmp_path)) == [ONE, TWO]


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        pytest.param("nowhere.yaml", "cannot read nowhere.yaml", id="no such file"),
        pytest.param("a: [", "no YAML", id="broken YAML"),
        pytest.param("- a: 1\n- b: 2\n", "no object", id="a list without a kind"),
        pytest.param("one: 1\n--- two", "no object", id="a word"),
    ],
)
def test_what_is_none_of_that(manifest: str, why: str) -> None:
    with pytest.raises(EmulatorError, match=why):
        read(manifest)
