"""What no API server can take: each kind of it gets the Status that a real one gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.api.settings import ApiSettings
from tests.support.api import SERVICES, Api, manifest, run_with_api

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
LIMIT = 64 * 1024  # that of the test; a real one, and ours, is 3 MiB
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (after, after, b",".join([b"*%c" % before] * 9))
    for before, after in zip(b"abcdefgh", b"bcdefghi", strict=True)
)
UNKNOWN_FORMAT = "the body of the request was in an unknown format - accepted media types include: "


def config_map(**rest: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, **rest}


@pytest.mark.parametrize(
    ("path", "content_type", "body", "said"),
    [
        pytest.param(
            SERVICES,
            PROTOBUF,
            b"k8s\0",
            (415, "UnsupportedMediaType", UNKNOWN_FORMAT + f"{JSON}, {YAML}"),
            id="protobuf for a custom resource",
        ),
        pytest.param(
            CONFIG_MAPS,
            "application/cbor",
            b"\xa0",
            (415, "UnsupportedMediaType", UNKNOWN_FORMAT + f"{JSON}, {YAML}, {PROTOBUF}"),
            id="CBOR",
        ),
        pytest.param(
            CONFIG_MAPS,
            JSON,
            b" " * (LIMIT + 1),
            (413, "RequestEntityTooLarge", f"Request entity too large: limit is {LIMIT}"),
            id="more than there is room for",
        ),
        pytest.param(
            CONFIG_MAPS,
            JSON,
            b'{"data":' * 200 + b"1" + b"}" * 200,
            (400, "BadRequest", "nests deeper than 100 levels"),
            id="deep JSON",
        ),
        pytest.param(
            CONFIG_MAPS,
            YAML,
            b"[" * 200 + b"]" * 200,
            (400, "BadRequest", "nests deeper than 100 levels"),
            id="deep YAML",
        ),
        pytest.param(
            CONFIG_MAPS,
            YAML,
            BOMB,
            (400, "BadRequest", "the alias *a is not allowed"),
            id="a YAML bomb (CVE-2019-11253)",
        ),
        pytest.param(
            CONFIG_MAPS,
            YAML,
            b"a: b: c",
            (400, "BadRequest", "error converting YAML to JSON: yaml"),
            id="no YAML",
        ),
        pytest.param(
            CONFIG_MAPS,
            YAML,
            b"kind: ConfigMap\n---\nkind: ConfigMap\n",
            (400, "BadRequest", "the body must be one YAML document, not 2"),
            id="two YAML documents",
        ),
        pytest.param(
            CONFIG_MAPS,
            JSON,
            b'{"data":{"a":"\xff"}}',
            (400, "BadRequest", "the body is not UTF-8"),
            id="JSON that is not UTF-8",
        ),
        pytest.param(
            CONFIG_MAPS,
            JSON,
            b'{"data":{"a":"\\ud800"}}',
            (400, "BadRequest", "half of a surrogate pair"),
            id="half of a character",
        ),
        pytest.param(
            CONFIG_MAPS, JSON, b"", (400, "BadRequest", "error decoding the body"), id="nothing"
        ),
        pytest.param(
            CONFIG_MAPS,
            PROTOBUF,
            b'{"kind":"ConfigMap"}',
            (400, "BadRequest", "does not appear to be a protobuf message"),
            id="JSON that says it is protobuf",
        ),
        pytest.param(
            CONFIG_MAPS,
            JSON,
            json.dumps(config_map(kind="Secret")).encode(),
            (400, "BadRequest", "converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
            id="another kind",
        ),
        pytest.param(
            SERVICES,
            JSON,
            json.dumps(manifest() | {"apiVersion": "serving.knative.dev/v1alpha1"}).encode(),
            (400, "BadRequest", "does not match the expected API version (serving.knative.dev/v1)"),
            id="another version",
        ),
        pytest.param(
            SERVICES,
            JSON,
            json.dumps(manifest() | {"kind": None}).encode(),
            (400, "BadRequest", "Object 'Kind' is missing in"),
            id="no kind",
        ),
    ],
)
def test_a_body_that_cannot_be_read(
    tmp_path: Path, path: str, content_type: str, body: bytes, said: tuple[int, str, str]
) -> None:
    async def scenario(api: Api) -> None:
        version = api.store.version
        reply = await api.call("POST", path, body, Content_Type=content_type)
        code, reason, message = reply.said
        assert (code, reason) == said[:2]
        assert said[2] in message
        assert api.store.version == version

    run_with_api(tmp_path, scenario, ApiSettings(body_bytes_max=LIMIT))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [b"\xff", b"[" * 300, b"{", b"\0", b'"', b"-", b"{}{}"])
def test_no_method_takes_what_is_no_json(tmp_path: Path, method: str, body: bytes) -> None:
    async def scenario(api: Api) -> None:
        assert (await api.call("POST", CONFIG_MAPS, config_map())).code == 201
        kind = "application/merge-patch+json" if method == "PATCH" else JSON
        path = CONFIG_MAPS if method == "POST" else f"{CONFIG_MAPS}/c"
        reply = await api.call(method, path, body, Content_Type=kind)
        assert reply.said[:2] == (400, "BadRequest")

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize("accept", ["text/html", "application/xml, text/*", PROTOBUF])
def test_an_answer_that_cannot_be_given(tmp_path: Path, accept: str) -> None:
    async def scenario(api: Api) -> None:
        assert (await api.call("POST", CONFIG_MAPS, config_map())).code == 201
        for path in (CONFIG_MAPS, f"{CONFIG_MAPS}/c", "/apis", "/openapi/v3"):
            assert (await api.call("GET", path, Accept=accept)).said[:2] == (406, "NotAcceptable")
        version = api.store.version
        for method, path in (("POST", CONFIG_MAPS), ("DELETE", f"{CONFIG_MAPS}/c")):
            reply = await api.call(method, path, config_map(), Accept=accept)
            assert reply.said[:2] == (406, "NotAcceptable")
        assert api.store.version == version  # nothing was done

    run_with_api(tmp_path, scenario)


def test_the_same_object_may_come_as_json_yaml_or_protobuf(tmp_path: Path) -> None:
    def delimited(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    def protobuf(name: str) -> bytes:
        entry = delimited(1, b"a") + delimited(2, b"b")
        raw = delimited(1, delimited(1, name.encode())) + delimited(2, entry)
        type_meta = delimited(1, b"v1") + delimited(2, b"ConfigMap")
        return b"k8s\0" + delimited(1, type_meta) + delimited(2, raw)

    async def scenario(api: Api) -> None:
        bodies = {
            JSON: b'{"metadata":{"name":"json"},"data":{"a":"b"}}',
            YAML: b"metadata: {name: yaml}\ndata:\n  a: b\n",
            PROTOBUF: protobuf("protobuf"),
        }
        for content_type, body in bodies.items():
            reply = await api.call("POST", CONFIG_MAPS, body, Content_Type=content_type)
            assert reply.code == 201, reply.body
            assert reply.headers["Content-Type"] == JSON
            assert (reply.json["kind"], reply.json["data"]) == ("ConfigMap", {"a": "b"})
        deleted = await api.call(
            "DELETE",
            f"{CONFIG_MAPS}/json",
            b"k8s\0" + delimited(1, delimited(2, b"DeleteOptions")) + delimited(2, b"\x2a\3All"),
            Content_Type=PROTOBUF,
        )
        assert deleted.code == 200
        assert (await api.call("GET", f"{CONFIG_MAPS}/json")).code == 200  # only tried

    run_with_api(tmp_path, scenario)
