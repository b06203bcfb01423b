"""The API's port against those who should not get in, and against too much."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from pathlib import Path

import aiohttp
import pytest

from simulator.api.server import ApiServer
from simulator.api.settings import ApiSettings
from simulator.resources.serving import Service
from tests.support.api import HOST, SERVICES, Api, manifest, run_with_api

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def test_health_needs_no_token_and_everything_else_does(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        for path in ("/healthz", "/readyz", "/livez"):
            reply = await api.call("GET", path, Authorization=None)
            assert (reply.code, reply.body) == (200, b"ok")
        for path in ("/", "/version", "/api", "/apis", SERVICES, "/openapi/v3", "/healthz/x"):
            for token in (None, "Bearer wrong", f"Basic {api.token}"):
                reply = await api.call("GET", path, Authorization=token)
                assert reply.said == (401, "Unauthorized", "Unauthorized")

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize("method", METHODS)
def test_a_foreign_host_is_refused_for_every_method(tmp_path: Path, method: str) -> None:
    async def scenario(api: Api) -> None:
        auth = f"Authorization: Bearer {api.token}\r\nConnection: close\r\n"
        foreign = [
            f"{method} {SERVICES} HTTP/1.1\r\nHost: evil.example:{api.port}\r\n{auth}\r\n",
            f"{method} /healthz HTTP/1.1\r\nHost: evil.example\r\n{auth}\r\n",
            f"{method} http://evil.example{SERVICES} HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
            f"{method} https://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        ]
        for request in foreign:
            assert (await api.raw(request.encode())).startswith(b"HTTP/1.1 403 ")
        malformed = [
            f"{method} {SERVICES} HTTP/1.1\r\n{auth}\r\n",
            f"{method} {SERVICES} HTTP/1.0\r\n{auth}\r\n",
            f"{method} {SERVICES} HTTP/1.1\r\nHost: a\r\nHost: b\r\n{auth}\r\n",
            f"{method} {SERVICES} HTTP/1.1\r\nHost: \xff[\r\n{auth}\r\n",
            f"{method} {SERVICES}/\xff HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
            f"{method} * HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
            f"{method} http://[::1/ HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
            f"{method} nowhere HTTP/1.1\r\nHost: localhost\r\n{auth}\r\n",
        ]
        for request in malformed:
            answer = await api.raw(request.encode("latin-1"))
            assert answer.split(b" ")[1] == b"400", request
            assert b"Traceback" not in answer
            assert api.token.encode() not in answer
        # The port still answers.
        assert (await api.call("GET", SERVICES)).code == 200

    run_with_api(tmp_path, scenario)


def test_another_site_may_not_write_watch_or_read_the_answer(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        own = f"https://{HOST}:{api.port}"
        for origin in ("null", "https://evil.example", f"http://{HOST}:{api.port}"):
            reply = await api.call("POST", SERVICES, manifest(), Origin=origin)
            assert reply.said[:2] == (403, "Forbidden")
        for site in ("cross-site", "same-site"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                reply = await api.call(method, SERVICES, manifest(), Sec_Fetch_Site=site)
                assert reply.said[0] == 403
            watch = await api.call("GET", f"{SERVICES}?watch=1", Sec_Fetch_Site=site)
            assert watch.said[0] == 403
            upgrade = await api.call("GET", SERVICES, Sec_Fetch_Site=site, Upgrade="websocket")
            assert upgrade.said[0] == 403
        assert api.store.list(Service) == ()
        fine = await api.call(
            "POST", SERVICES, manifest(), Origin=own, Sec_Fetch_Site="same-origin"
        )
        assert fine.code == 201
        for reply in (fine, await api.call("OPTIONS", SERVICES, Origin=own)):
            assert not [name for name in reply.headers if name.lower().startswith("access-control")]

    run_with_api(tmp_path, scenario)


def test_options_grants_nothing(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        assert (await api.call("OPTIONS", SERVICES, Authorization=None)).said[0] == 401
        assert (await api.call("OPTIONS", SERVICES)).said[0] == 405

    run_with_api(tmp_path, scenario)


def test_a_body_has_a_bound_whether_it_says_its_length_or_not(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        huge = json.dumps(manifest(annotations={"a": "x" * 2000})).encode()
        reply = await api.call("POST", SERVICES, huge)
        assert reply.said == (
            413,
            "RequestEntityTooLarge",
            "Request entity too large: limit is 1000",
        )
        head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Authorization: Bearer {api.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = b"".join(b"64\r\n" + b" " * 100 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
        assert (await api.raw(head.encode() + chunks)).startswith(b"HTTP/1.1 413 ")
        gzip = await api.call("POST", SERVICES, b"\x1f\x8b", Content_Encoding="gzip")
        assert gzip.said[0] == 415
        assert (await api.call("POST", SERVICES, manifest())).code == 201

    run_with_api(tmp_path, scenario, ApiSettings(body_bytes_max=1000))


def test_the_real_bound_is_three_mebibytes(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Authorization: Bearer {api.token}\r\nContent-Length: "
        limit = 3 * 1024 * 1024
        fits = f"{head}{limit}\r\n\r\n".encode() + b" " * limit
        assert (await api.raw(fits)).startswith(b"HTTP/1.1 400 ")
        assert (await api.raw(f"{head}{limit + 1}\r\n\r\n".encode())).startswith(b"HTTP/1.1 413 ")

    run_with_api(tmp_path, scenario, ApiSettings(linger_s=0.05))


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        head = f"POST {SERVICES} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Authorization: Bearer {api.token}\r\nContent-Length: 100\r\n\r\n"
        assert (await api.raw(head.encode())).startswith(b"HTTP/1.1 400 ")

    run_with_api(tmp_path, scenario, ApiSettings(body_timeout_s=0.05, linger_s=0.05))


def test_a_fault_of_ours_is_logged_and_tells_the_client_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(api: Api) -> None:
        await api.store.close()
        api.store._tables.clear()  # a fault that no request can make
        reply = await api.call("GET", SERVICES)
        assert reply.said[:2] == (500, "InternalError")
        assert b"KeyError" not in reply.body
        assert str(tmp_path).encode() not in reply.body

    with caplog.at_level(logging.ERROR):
        run_with_api(tmp_path, scenario)
    assert "KeyError" in caplog.text


def test_plain_http_and_strangers_certificates_get_nowhere(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        reader, writer = await asyncio.open_connection(HOST, api.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in await asyncio.wait_for(reader.read(), 20)
        writer.close()
        strict = aiohttp.TCPConnector(ssl=ssl.create_default_context())
        async with aiohttp.ClientSession(connector=strict) as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"{api.base}/healthz")
        for host in ("localhost", "127.0.0.1"):
            async with api.session.get(f"https://{host}:{api.port}/healthz") as response:
                assert response.status == 200

    run_with_api(tmp_path, scenario)


def test_stopping_twice_is_fine_and_a_server_may_stop_before_it_starts(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await api.server.stop()
        await api.server.stop()
        assert isinstance(api.server, ApiServer)

    run_with_api(tmp_path, scenario)
