"""Every verb, stream and upgrade of the API against every way in that must stay shut.

Each verb is a request that succeeds as its owner sends it; each attack changes one thing about
it. Nothing may be answered, and nothing may change. Over real sockets, TLS included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulator.api.settings import ApiSettings
from tests.support.api import SERVICES, Api, as_bytes, manifest, run_with_api
from tests.support.stored import service

READS = ("GET",)
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


class Asked(NamedTuple):
    """A request that works. `is_stream` has no end of its own."""

    method: str
    path: str
    body: Any = None
    content_type: str = "application/json"
    is_stream: bool = False
    code: int = 200


VERBS = {
    "get": Asked("GET", f"{SERVICES}/hello"),
    "get status": Asked("GET", f"{SERVICES}/hello/status"),
    "list": Asked("GET", SERVICES),
    "list of all namespaces": Asked("GET", "/apis/serving.knative.dev/v1/services"),
    "watch": Asked("GET", f"{SERVICES}?watch=true", is_stream=True),
    "watch, as Python says it": Asked("GET", f"{SERVICES}?watch=True", is_stream=True),
    "watch of one": Asked("GET", f"{SERVICES}/hello?watch=1", is_stream=True),
    "create": Asked("POST", SERVICES, manifest("new"), code=201),
    "create of a core kind": Asked("POST", "/api/v1/namespaces/default/configmaps", CONFIG_MAP),
    "update": Asked("PUT", f"{SERVICES}/hello", manifest(image="app:2", resourceVersion="2")),
    "update of status": Asked("PUT", f"{SERVICES}/hello/status", manifest(resourceVersion="2")),
    "merge patch": Asked("PATCH", f"{SERVICES}/hello", {"metadata": {"labels": {"a": "b"}}}, MERGE),
    "JSON patch": Asked("PATCH", f"{SERVICES}/hello", [], JSON_PATCH),
    "apply": Asked("PATCH", f"{SERVICES}/hello?fieldManager=me&force=true", manifest(), APPLY),
    "patch of status": Asked("PATCH", f"{SERVICES}/hello/status", {"status": {}}, MERGE),
    "delete": Asked("DELETE", f"{SERVICES}/hello"),
    "deletecollection": Asked("DELETE", SERVICES),
    "log": Asked("GET", "/api/v1/namespaces/default/pods/none/log", code=404),
    "version": Asked("GET", "/version"),
    "discovery of core": Asked("GET", "/api/v1"),
    "discovery of groups": Asked("GET", "/apis"),
    "discovery of a group": Asked("GET", "/apis/serving.knative.dev/v1"),
    "OpenAPI": Asked("GET", "/openapi/v3"),
}

Headers = Mapping[str, str | None]

# What is changed about the request, and the code of the refusal. None drops a header.
ATTACKS: dict[str, tuple[Headers, int]] = {
    "no token": ({"Authorization": None}, 401),
    "an empty token": ({"Authorization": "Bearer "}, 401),
    "a wrong token": ({"Authorization": "Bearer wrong"}, 401),
    "the token and more": ({"Authorization": "Bearer {token}x"}, 401),
    "the token as a password": ({"Authorization": "Basic {token}"}, 401),
    "the token alone": ({"Authorization": "{token}"}, 401),
    "the token as a cookie": ({"Authorization": None, "Cookie": "token={token}"}, 401),
    "the token as a protocol": (
        {"Authorization": None, "Sec-WebSocket-Protocol": "base64url.bearer.{token}"},
        401,
    ),
    "a foreign host": ({"Host": "evil.example:{port}"}, 403),
    "a host that begins like ours": ({"Host": "localhost.evil.example"}, 403),
    "a host of bytes": ({"Host": "\xff\xfe"}, 400),
    "an origin of nobody": ({"Origin": "null"}, 403),
    "a foreign origin": ({"Origin": "https://evil.example"}, 403),
    "our origin without TLS": ({"Origin": "http://localhost:{port}"}, 403),
    "another port of ours": ({"Origin": "https://localhost:1"}, 403),
}
# A page can send these without asking first only where a token is: but reads follow links.
CROSS_SITE: dict[str, tuple[Headers, int]] = {
    "another site": ({"Sec-Fetch-Site": "cross-site"}, 403),
    "a sibling site": ({"Sec-Fetch-Site": "same-site"}, 403),
}
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "AAAA"}


def raw(api: Api, asked: Asked, changed: Headers, target: str = "") -> bytes:
    """Return the request as bytes, its own headers first changed."""
    body = as_bytes(asked.body) or b""
    headers: dict[str, str | None] = {
        "Host": f"localhost:{api.port}",
        "Authorization": f"Bearer {api.token}",
        "Connection": "close",
        "Content-Type": asked.content_type if body else None,
        "Content-Length": str(len(body)) if body else None,
    }
    told = {
        name: value if value is None else value.replace("{token}", api.token)
        for name, value in (headers | dict(changed)).items()
    }
    lines = [f"{asked.method} {target or asked.path} HTTP/1.1"]
    lines += [
        f"{name}: {value}".replace("{port}", str(api.port))
        for name, value in told.items()
        if value is not None
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def attempt(api: Api, request: bytes, code: int) -> None:
    """Send what must be refused with this code, telling nothing and changing nothing."""
    before = api.store.version
    answer = await api.first_answer(request)
    assert int(answer.split(b" ", 2)[1]) == code, (request, answer)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = json.loads(body)
    assert (status["kind"], status["code"]) == ("Status", code)
    for secret in (api.token.encode(), b"Traceback", b"site-packages", b".py"):
        assert secret not in answer
    assert b"access-control" not in head.lower()
    assert api.store.version == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_answered_to_its_owner_alone(tmp_path: Path, verb: str) -> None:
    asked = VERBS[verb]

    async def scenario(api: Api) -> None:
        await api.store.create(service())
        guarded = asked.method not in READS or asked.is_stream
        for changed, code in (ATTACKS | (CROSS_SITE if guarded else {})).values():
            await attempt(api, raw(api, asked, changed), code)
            # The same as an upgrade: a door of its own in other servers.
            await attempt(api, raw(api, asked, changed | UPGRADE), code)
        for changed, code in CROSS_SITE.values():
            await attempt(api, raw(api, asked, changed | UPGRADE), code)
        for host in ("evil.example", "localhost.evil.example:{port}", "user@localhost"):
            target = f"https://{host}{asked.path}".replace("{port}", str(api.port))
            expected = 400 if "@" in host else 403
            await attempt(api, raw(api, asked, {}, target), expected)
        in_query = asked.path + ("&" if "?" in asked.path else "?") + f"access_token={api.token}"
        await attempt(api, raw(api, asked, {"Authorization": None}, in_query), 401)
        twice = raw(api, asked, {}).replace(
            b"\r\nConnection:", b"\r\nAuthorization: Bearer x\r\nConnection:"
        )
        await attempt(api, twice, 401)
        await answered(api, asked)

    run_with_api(tmp_path, scenario, ApiSettings(linger_s=0.05))


async def answered(api: Api, asked: Asked) -> None:
    """The unchanged request works: nothing above was refused for another reason."""
    if asked.is_stream:
        async with api.watch(asked.path) as frames:
            assert (await frames.take(1))[0]["type"] == "ADDED"
        return
    reply = await api.call(
        asked.method,
        asked.path,
        asked.body,
        Content_Type=asked.content_type if asked.body is not None else None,
    )
    assert reply.code in (asked.code, 201), reply.body
    own = f"https://localhost:{api.port}"
    fine = raw(api, Asked("GET", SERVICES), {"Origin": own, "Sec-Fetch-Site": "same-origin"})
    assert (await api.raw(fine)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_other_methods_are_given_nothing(tmp_path: Path, method: str) -> None:
    async def scenario(api: Api) -> None:
        preflight = {
            "Origin": f"https://localhost:{api.port}",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        for path in (SERVICES, f"{SERVICES}/hello", "/version", "/healthz", "/nowhere"):
            for headers in ({}, preflight, preflight | {"Authorization": None}):
                answer = await api.raw(raw(api, Asked(method, path), headers))
                head = answer.partition(b"\r\n\r\n")[0].lower()
                code = int(head.split(b" ", 2)[1])
                assert code in (400, 401, 404, 405) or path == "/healthz", answer
                assert b"access-control" not in head
                assert b"allow:" not in head

    run_with_api(tmp_path, scenario, ApiSettings(linger_s=0.05))


_POD_LOG = "/api/v1/namespaces/default/pods/{}/log"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default/pods/%2e%2e/log",
        "/api/v1/namespaces/default/pods/../../../secrets",
        "/api/v1/namespaces/%2e%2e/pods/x/log",
        _POD_LOG.format("..%2f..%2fetc%2fpasswd"),
        _POD_LOG.format("%2fetc%2fpasswd"),
        _POD_LOG.format("a%00b"),
        _POD_LOG.format("a%5cb"),
        _POD_LOG.format("a%25b"),
        _POD_LOG.format("%ff%fe"),
        _POD_LOG.format("."),
        f"{SERVICES}/%2e%2e",
        f"{SERVICES}/a%2fb",
        f"{SERVICES}/a%00b",
        f"{SERVICES}/a\\b",
        f"{SERVICES}/%252e%252e",
        f"/{SERVICES}",
        f"{SERVICES}/",
        f"{SERVICES}//hello",
        "/./healthz/../api/v1",
        "/api/v1/../../etc/passwd",
        "/healthz/../apis",
        "/healthz%2f..%2fapis",
        "/API/V1",
        "/apis/serving.knative.dev/v1/%6eamespaces/default/services/hello/",
        f"{SERVICES};x=y",
        f"{SERVICES}%3fwatch=true",
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_no_path_leads_where_it_does_not_say(tmp_path: Path, method: str, path: str) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service())
        before = api.store.version
        body = None if method != "PUT" else manifest()
        answer = await api.raw(raw(api, Asked(method, path, body), {}))
        assert int(answer.split(b" ", 2)[1]) in (400, 404, 405), answer
        assert b"root:" not in answer
        assert api.store.version == before

    run_with_api(tmp_path, scenario, ApiSettings(linger_s=0.05))


@pytest.mark.parametrize("verb", [verb for verb, asked in VERBS.items() if asked.method != "GET"])
def test_a_body_beyond_its_bound_is_read_no_further(tmp_path: Path, verb: str) -> None:
    asked = VERBS[verb]._replace(body=b" " * 3_000)

    async def scenario(api: Api) -> None:
        await api.store.create(service())
        await attempt(api, raw(api, asked, {}), 413)
        chunked = raw(
            api,
            asked._replace(body=None),
            {"Transfer-Encoding": "chunked", "Content-Type": asked.content_type},
        )
        await attempt(
            api,
            chunked
            + b"200\r\n"
            + b" " * 512
            + b"\r\n" * 1
            + b"800\r\n"
            + b" " * 2048
            + b"\r\n0\r\n\r\n",
            413,
        )

    run_with_api(tmp_path, scenario, ApiSettings(body_bytes_max=1_000, linger_s=0.05))


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_what_a_page_may_send_unasked_is_no_content_type(
    tmp_path: Path, method: str, content_type: str
) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service())
        path = SERVICES if method == "POST" else f"{SERVICES}/hello"
        asked = Asked(method, path, manifest("new" if method == "POST" else "hello"), content_type)
        await attempt(api, raw(api, asked, {}), 415)

    run_with_api(tmp_path, scenario)
