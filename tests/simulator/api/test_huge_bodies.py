"""Bodies within 3 MiB that have very many values: none keeps the API from answering others.

Real servers have more than one core for them; here all requests share one loop.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.resources.cleaning import VALUES_MAX
from simulator.resources.documents import SEPARATORS_MAX
from simulator.resources.manifests import YAML_VALUES_MAX
from tests.support.api import SERVICES, Api, run_with_api

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
JSON, YAML, MERGE = "application/json", "application/yaml", "application/merge-patch+json"
MANY = 5_000  # containers or owners: what takes a time that grows with the square is not over


def config_map(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **metadata}}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("content_type", "body", "limit"),
    [
        pytest.param(JSON, b'{"a":[' + b"[]," * 300_000 + b"[]]}", SEPARATORS_MAX, id="lists"),
        pytest.param(
            JSON, b'{"a":[' + b'{"a":1,"a":1},' * 70_000 + b"1]}", SEPARATORS_MAX, id="repeated"
        ),
        pytest.param(YAML, b"a: [" + b"[]," * 300_000 + b"[]]", YAML_VALUES_MAX, id="YAML"),
        pytest.param(
            JSON,
            json.dumps(config_map() | {"data": {f"k{n}": "" for n in range(30_000)}}).encode(),
            VALUES_MAX,
            id="data",
        ),
    ],
)
def test_what_has_too_many_values_is_too_large(
    tmp_path: Path, content_type: str, body: bytes, limit: int
) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("POST", CONFIG_MAPS, body, Content_Type=content_type)
        assert (reply.code, reply.json["message"]) == (
            413,
            f"Request entity too large: limit is {limit} values",
        )

    run_with_api(tmp_path, scenario)


def test_patches_cannot_make_an_object_larger_than_a_body_could(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        assert (await api.call("POST", CONFIG_MAPS, config_map())).code == 201
        codes = []
        for part in range(3):
            data = {f"k{part}-{number}": "" for number in range(9_000)}
            reply = await api.call("PATCH", f"{CONFIG_MAPS}/c", {"data": data}, Content_Type=MERGE)
            codes.append(reply.code)
        assert codes == [200, 200, 413]

    run_with_api(tmp_path, scenario)


@pytest.mark.timeout(30)
def test_many_owners_are_looked_through_once(tmp_path: Path) -> None:
    one = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a"}
    owners = [{**one, "uid": str(number)} for number in (*range(3_000), 7)]

    async def scenario(api: Api) -> None:
        reply = await api.call("POST", CONFIG_MAPS, config_map(ownerReferences=owners))
        assert reply.code == 201
        assert len(reply.json["metadata"]["ownerReferences"]) == 3_000

    run_with_api(tmp_path, scenario)


@pytest.mark.timeout(30)
def test_the_complaints_about_many_containers_are_told(tmp_path: Path) -> None:
    containers = [{"name": f"c{number}"} for number in range(MANY)]
    document = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello"},
        "spec": {"template": {"spec": {"containers": containers}}},
    }

    async def scenario(api: Api) -> None:
        reply = await api.call("POST", SERVICES, document)
        assert reply.code == 400
        assert f"containers[{MANY - 1}]" in reply.json["message"]

    run_with_api(tmp_path, scenario)


def test_half_a_surrogate_pair_in_an_owners_field_is_no_field(tmp_path: Path) -> None:
    entry = {
        "manager": "m",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:finalizers": {'v:"\\ud800"': {}}}},
    }

    async def scenario(api: Api) -> None:
        reply = await api.call("POST", CONFIG_MAPS, config_map(managedFields=[entry]))
        assert reply.code == 201
        assert "managedFields" not in reply.json["metadata"]  # malformed entries do not count

    run_with_api(tmp_path, scenario)
