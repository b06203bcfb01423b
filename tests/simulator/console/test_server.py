"""The console's port: health for everyone on this machine, status for who has the token."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import Struct

from gateway.metrics.registry import Metrics, open_metrics
from simulator.api.access import Policy, allowed_hosts
from simulator.api.settings import ApiSettings
from simulator.console.server import OPEN_PATHS, ConsoleServer, Figures
from simulator.errors import BadRequest, KnaryError
from simulator.metrics.page import MetricsPage
from simulator.metrics.replicas import ReplicaSeen, Seen

TOKEN = "a-token-for-this-test"
STATUS = {"schema": 1, "replicas": []}
SEEN = Seen((ReplicaSeen("default", "hello-00001", "hello-00001-x", 2, is_ready=True),))


class Done(Struct):
    """What a stand-in answers."""

    what: str


class RecordedState:
    """The state of an instance whose changes are written down."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def reset(self, seed: int | None = None) -> Struct:
        return self._done(f"reset {seed}")

    async def reseed(self, seed: int | None) -> Struct:
        return self._done(f"seed {seed}")

    async def keep_baseline(self) -> Struct:
        return self._done("baseline")

    async def snapshot(self) -> bytes:
        return b'{"kind": "KnarySnapshot"}'

    async def restore(self, document: bytes) -> Struct:
        if document == b"{}":
            raise BadRequest("this is no snapshot of knary's")
        return self._done(f"restore {document.decode()}")

    def _done(self, what: str) -> Done:
        self.asked.append(what)
        return Done(what)


class Console:
    """A client of one running console port."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base
        self.is_ready = True
        self.state = RecordedState()

    async def call(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, str, str]:
        """Return code, content type and body."""
        async with self.session.request(
            method, self.base + path, headers=headers, data=body
        ) as response:
            return response.status, response.content_type, await response.text()


def run(
    scenario: Callable[[Console], Awaitable[None]],
    status: Callable[[], Mapping[str, Any]] = lambda: STATUS,
    folder: Path = Path("/nowhere"),
) -> None:
    async def inside() -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{sock.getsockname()[1]}"
        policy = Policy("http", allowed_hosts([]), TOKEN, OPEN_PATHS)
        async with aiohttp.ClientSession() as session:
            console = Console(session, base)
            page = MetricsPage(folder, "worker-*.metrics*", "0.0.1")
            figures = Figures(page, lambda: SEEN)
            server = ConsoleServer(
                policy, ApiSettings(), status, figures, console.state, lambda: console.is_ready
            )
            await server.start(sock)
            try:
                await scenario(console)
            finally:
                await server.stop()

    asyncio.run(inside())


def test_health_and_readiness_need_no_token() -> None:
    async def scenario(console: Console) -> None:
        assert await console.call("/healthz") == (200, "text/plain", "ok\n")
        assert await console.call("/readyz") == (200, "text/plain", "ok\n")
        console.is_ready = False
        assert await console.call("/readyz") == (503, "text/plain", "not ready\n")
        assert (await console.call("/healthz"))[0] == 200

    run(scenario)


def test_who_asks_for_json_gets_health_with_the_version_of_its_schema() -> None:
    async def scenario(console: Console) -> None:
        json_too = {"Accept": "application/json"}
        well = (200, "application/json", '{"schema":1,"status":"ok"}')
        assert await console.call("/healthz", **json_too) == well
        assert await console.call("/readyz", **json_too) == well
        console.is_ready = False
        unready = (503, "application/json", '{"schema":1,"status":"not ready"}')
        assert await console.call("/readyz", **json_too) == unready
        assert await console.call("/healthz", **json_too) == well

    run(scenario)


ALLOWED = {"Authorization": f"Bearer {TOKEN}"}
AS_JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "body", "done"),
    [
        ("POST", "/knary/reset", None, "reset None"),
        ("POST", "/knary/reset", b"{}", "reset None"),
        ("POST", "/knary/reset", b'{"seed": 7}', "reset 7"),
        ("POST", "/knary/seed", b'{"seed": 7}', "seed 7"),
        ("POST", "/knary/seed", b'{"seed": null}', "seed None"),
        ("POST", "/knary/baseline", None, "baseline"),
        ("PUT", "/knary/snapshot", b'{"kind": "x"}', 'restore {"kind": "x"}'),
    ],
)
def test_the_state_is_changed_as_asked(
    method: str, path: str, body: bytes | None, done: str
) -> None:
    async def scenario(console: Console) -> None:
        headers = ALLOWED if body is None else ALLOWED | AS_JSON
        code, kind, text = await console.call(path, method, body, **headers)
        assert (code, kind, json.loads(text)) == (200, "application/json", {"what": done})
        assert console.state.asked == [done]

    run(scenario)


CHANGES = ["/knary/reset", "/knary/seed", "/knary/baseline"]
WITHOUT = {"/knary/snapshot": "PUT"} | dict.fromkeys(CHANGES, "POST")


@pytest.mark.parametrize("path", WITHOUT)
@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        pytest.param({}, None, 401, id="without a token"),
        pytest.param({"Authorization": "Bearer x"}, None, 401, id="with a wrong one"),
        pytest.param(ALLOWED | {"Host": "evil.example"}, None, 403, id="by another name"),
        pytest.param(ALLOWED | {"Origin": "http://evil.example"}, None, 403, id="from a page"),
        pytest.param(ALLOWED | {"Origin": "null"}, None, 403, id="from a page without an origin"),
        pytest.param(ALLOWED | {"Sec-Fetch-Site": "cross-site"}, None, 403, id="from another site"),
        pytest.param(ALLOWED | {"Sec-Fetch-Site": "same-site"}, None, 403, id="from its sibling"),
        pytest.param(
            ALLOWED | {"Content-Type": "text/plain"}, b"{}", 415, id="as a form may send it"
        ),
        pytest.param(ALLOWED | AS_JSON | {"Content-Encoding": "gzip"}, b"{}", 415, id="compressed"),
        pytest.param(ALLOWED | AS_JSON, b'{"seed":', 400, id="what is no JSON"),
        pytest.param(ALLOWED | AS_JSON, b'{"sead": 1}', 400, id="what has another field"),
    ],
)
def test_a_change_is_guarded(
    path: str, headers: dict[str, str], body: bytes | None, code: int
) -> None:
    if code == 400 and path in ("/knary/baseline", "/knary/snapshot"):
        return  # the one reads no body, the other one's is judged by `snapshots`

    async def scenario(console: Console) -> None:
        got, kind, text = await console.call(path, WITHOUT[path], body, **headers)
        assert (got, kind) == (code, "application/json")
        assert '"kind":"Status"' in text
        assert console.state.asked == []

    run(scenario)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "PUT"])
@pytest.mark.parametrize("path", CHANGES)
def test_a_change_is_asked_by_its_own_method_alone(path: str, method: str) -> None:
    async def scenario(console: Console) -> None:
        assert (await console.call(path, method, **ALLOWED))[0] == 405
        assert console.state.asked == []

    run(scenario)


def test_a_snapshot_is_read_with_the_token_and_an_unfit_one_refused() -> None:
    async def scenario(console: Console) -> None:
        assert (await console.call("/knary/snapshot"))[0] == 401
        found = await console.call("/knary/snapshot", **ALLOWED)
        assert found == (200, "application/json", '{"kind": "KnarySnapshot"}')
        code, _, text = await console.call("/knary/snapshot", "PUT", b"{}", **ALLOWED, **AS_JSON)
        assert code == 400
        assert "no snapshot" in text

    run(scenario)


def test_the_status_needs_the_token() -> None:
    async def scenario(console: Console) -> None:
        answer = await console.call("/knary/status", Authorization=f"Bearer {TOKEN}")
        assert answer == (200, "application/json", '{"schema":1,"replicas":[]}')
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            code, kind, body = await console.call("/knary/status", **headers)
            assert (code, kind) == (401, "application/json")
            assert "Unauthorized" in body

    run(scenario)


def test_the_first_page_says_what_there_is_and_what_is_not() -> None:
    async def scenario(console: Console) -> None:
        code, kind, body = await console.call("/")
        assert (code, kind) == (200, "text/plain")
        assert "/knary/status" in body
        assert "no web console yet" in body

    run(scenario)


@pytest.mark.parametrize(
    ("path", "method", "headers", "code"),
    [
        ("/nowhere", "GET", {}, 401),
        ("/nowhere", "GET", {"Authorization": f"Bearer {TOKEN}"}, 404),
        ("/knary/status", "POST", {"Authorization": f"Bearer {TOKEN}"}, 405),
        ("/healthz", "DELETE", {}, 405),
        ("/healthz", "GET", {"Host": "evil.example"}, 403),
        ("/", "GET", {"Host": "evil.example"}, 403),
        ("/knary/status", "GET", {"Authorization": f"Bearer {TOKEN}", "Origin": "null"}, 403),
        (
            "/knary/status",
            "POST",
            {"Authorization": f"Bearer {TOKEN}", "Sec-Fetch-Site": "cross-site"},
            403,
        ),
    ],
)
def test_everything_else_is_refused_in_json(
    path: str, method: str, headers: dict[str, str], code: int
) -> None:
    async def scenario(console: Console) -> None:
        got, kind, body = await console.call(path, method, **headers)
        assert (got, kind) == (code, "application/json")
        assert '"kind":"Status"' in body

    run(scenario)


def test_a_status_that_cannot_be_told_is_an_error_not_a_traceback() -> None:
    def broken() -> Mapping[str, Any]:
        raise KnaryError("no worker answers")

    async def scenario(console: Console) -> None:
        code, _, body = await console.call("/knary/status", Authorization=f"Bearer {TOKEN}")
        assert code == 500
        assert "no worker answers" in body

    run(scenario, broken)


def test_the_metrics_need_the_token_and_come_in_the_format_that_is_asked_for(
    tmp_path: Path,
) -> None:

    async def scenario(console: Console) -> None:
        assert (await console.call("/metrics"))[0] == 401
        token = {"Authorization": f"Bearer {TOKEN}"}
        code, kind, body = await console.call("/metrics", **token)
        assert (code, kind) == (200, "text/plain")
        assert "\nrevision_request_count{" in body
        assert 'knary_revision_replicas_ready{namespace_name="default"' in body
        code, kind, body = await console.call(
            "/metrics", Accept="application/openmetrics-text", **token
        )
        assert (code, kind) == (200, "application/openmetrics-text")
        assert body.endswith("# EOF\n")
        assert (await console.call("/metrics", "POST", **token))[0] == 405

    metrics = counted(tmp_path)
    run(scenario, folder=tmp_path)
    metrics.close()


def test_the_rows_of_knary_top(tmp_path: Path) -> None:
    async def scenario(console: Console) -> None:
        code, kind, body = await console.call("/knary/top", Authorization=f"Bearer {TOKEN}")
        assert (code, kind) == (200, "application/json")
        found = json.loads(body)
        assert found["schema"] == 1
        assert found["rows"] == [
            {
                "namespace": "default",
                "service": "hello",
                "revision": "hello-00001",
                "tag": "blue",
                "requests": 2,
                "answers": 1,
                "errors": 0,
                "grpcCalls": {},
                "inFlight": 1,
                "sessionsNew": 0,
                "sessionsMoved": 0,
                "p50Microseconds": 960,
                "p99Microseconds": 960,
            }
        ]

    metrics = counted(tmp_path)
    run(scenario, folder=tmp_path)
    metrics.close()


def counted(folder: Path) -> Metrics:
    """Count a request that ended and one that did not, as a worker that lives."""
    metrics = open_metrics(str(folder / "worker-0.metrics"), 0)
    cell = metrics.cell("default/hello", "default/hello-00001", "blue")
    cell.begun += 2
    cell.done(200, 1000, 0, 13)
    metrics.flush()
    return metrics
