"""Sticky sessions over real sockets: HTTP/1.1, h2c, gRPC and a WebSocket's handshake."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from gateway.contract import HeaderRule, RouteTable, Share, Split
from tests.support.gateway import (
    HOST,
    Gateway,
    gateway,
    read_head,
    revision,
    run,
    saying,
    table,
    until,
)
from tests.support.h2peers import echo, h2_client, h2_revision

COOKIE = re.compile(rb"(?im)^set-cookie: (\S+=[^;]+); (.*)\r$")


@asynccontextmanager
async def two_versions() -> AsyncIterator[tuple[Gateway, str, str]]:
    """Give a gateway, and the addresses of two revisions that say "v1" and "v2"."""
    async with (
        gateway() as under_test,
        revision(saying("v1")) as one,
        revision(saying("v2")) as two,
    ):
        yield under_test, one, two


def sticky(made: RouteTable, kind: str = "cookie", name: str = "knary-1") -> RouteTable:
    """Return the table with sessions in its only route."""
    row = made.routes["hello"]
    split = msgspec.structs.replace(row.split, sticky=kind, sticky_name=name)
    return msgspec.structs.replace(
        made, routes={"hello": msgspec.structs.replace(row, split=split)}
    )


async def get(under_test: Gateway, *lines: str, version: str = "1.1") -> bytes:
    head = "\r\n".join([f"GET / HTTP/{version}", f"Host: {HOST}", "Connection: close", *lines])
    return await under_test.exchange(f"{head}\r\n\r\n".encode())


def cookie(answer: bytes) -> str:
    found = COOKIE.search(answer)
    assert found is not None, answer
    return f"Cookie: theme=dark; {found[1].decode()}; a=b"


def test_a_client_that_sends_the_cookie_stays_and_one_that_does_not_is_dealt() -> None:
    async def story() -> None:
        async with two_versions() as (under_test, one, two):
            under_test.router.replace(sticky(table({"v1": (one,), "v2": (two,)})))
            answers = [await get(under_test) for _ in range(100)]
            assert Counter(answer[-2:] for answer in answers) == {b"v1": 50, b"v2": 50}
            for answer in answers[:10]:
                found = COOKIE.search(answer)
                assert found is not None
                assert found[2] == b"Path=/; HttpOnly; SameSite=Lax"
                for version in ("1.1", "1.0"):
                    again = await get(under_test, cookie(answer), version=version)
                    assert again[-2:] == answer[-2:]
                    assert COOKIE.search(again) is None

    run(story())


def test_on_one_connection_each_request_is_of_its_own_session() -> None:
    async def story() -> None:
        async with two_versions() as (under_test, one, two):
            under_test.router.replace(sticky(table({"v1": (one,), "v2": (two,)})))
            answer = await get(under_test)
            with_it, without = cookie(answer).encode(), b"X: y"
            reader, writer = await under_test.connect()
            heads, bodies = [], []
            for line in (with_it, without) * 10:
                writer.write(b"GET / HTTP/1.1\r\nHost: %b\r\n%b\r\n\r\n" % (HOST.encode(), line))
                heads.append(await read_head(reader))
                bodies.append(await reader.readexactly(2))
            assert bodies[::2] == [answer[-2:]] * 10
            assert set(bodies[1::2]) == {b"v1", b"v2"}
            assert [b"Set-Cookie" in head for head in heads] == [False, True] * 10

    run(story())


def test_a_change_of_shares_moves_and_says_so() -> None:
    async def story() -> None:
        async with two_versions() as (under_test, one, two):
            backends = {"v1": (one,), "v2": (two,)}
            under_test.router.replace(sticky(table(backends, {"v1": 9_000, "v2": 1_000})))
            answers = [await get(under_test, "Knary-Explain: 1") for _ in range(20)]
            assert all(b"; sticky=cookie; session=new; because=no-cookie; " in a for a in answers)
            assert Counter(answer[-2:] for answer in answers) == {b"v1": 18, b"v2": 2}
            under_test.router.replace(sticky(table(backends, {"v1": 4_500, "v2": 5_500})))
            later = [await get(under_test, cookie(a), "Knary-Explain: 1") for a in answers]
            moved = [a for a in later if b"session=moved; because=share-shrank; " in a]
            assert abs(len(moved) - 9) <= 1
            assert all(a[-2:] == b"v2" for a in moved)
            kept = [a for a in later if b"session=kept; " in a]
            assert len(kept) == 20 - len(moved)
            assert not any(b"turn=" in a or b"chance=" in a for a in later)
            again = [await get(under_test, cookie(a), "Knary-Explain: 1") for a in moved]
            assert all(b"session=kept; " in a and a[-2:] == b"v2" for a in again)
            cells = [
                split.cell for split in under_test.router.hosts.match(HOST.encode()).split.targets
            ]
            assert [(c.sessions_new, c.sessions_moved) for c in cells if c] == [
                (18, 0),
                (2, len(moved)),
            ]

    run(story())


def test_over_http2_the_cookie_may_come_in_parts() -> None:
    async def story() -> None:
        async with two_versions() as (under_test, one, two):
            under_test.router.replace(sticky(table({"v1": (one,), "v2": (two,)})))
            async with h2_client(under_test) as client:
                seen = [await client.get("/") for _ in range(10)]
                assert Counter(one.body for one in seen) == {b"v1": 5, b"v2": 5}
                for one_seen in seen:
                    value = one_seen.head["set-cookie"].partition(";")[0]
                    again = await client.get("/", ("cookie", "x=1"), ("cookie", value))
                    assert again.body == one_seen.body
                    assert "set-cookie" not in again.head

    run(story())


def test_a_grpc_call_has_its_session_in_its_metadata() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(echo) as one, h2_revision(echo) as two:
            made = table({"v1": (one.address,), "v2": (two.address,)}, protocol="h2c")  # type: ignore[arg-type]
            under_test.router.replace(sticky(made))
            async with h2_client(under_test) as client:
                grpc = [("content-type", "application/grpc"), ("knary-explain", "1")]
                first = await client.get("/a.B/C", *grpc)
                value = first.head["set-cookie"].partition(";")[0]
                for _ in range(4):
                    again = await client.get("/a.B/C", *grpc, ("cookie", value))
                    assert again.head["knary-revision"] == first.head["knary-revision"]
                    assert "session=kept" in again.head["knary-explain"]

    run(story())


async def switching(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept any WebSocket, and say goodbye."""
    await read_head(reader)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n")
    writer.write(b"Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nbye")
    await writer.drain()
    writer.close()


def test_a_websockets_handshake_sets_the_cookie_in_its_101() -> None:
    async def story() -> None:
        asks = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x")
        async with gateway() as under_test, revision(switching) as one, revision(switching) as two:
            under_test.router.replace(sticky(table({"v1": (one,), "v2": (two,)})))
            head = "\r\n".join([f"GET / HTTP/1.1\r\nHost: {HOST}", *asks, "", ""])
            answer = await under_test.exchange(head.encode())
            assert answer.startswith(b"HTTP/1.1 101 ")
            assert answer.endswith(b"\r\n\r\nbye")
            assert COOKIE.search(answer) is not None
            head = "\r\n".join([f"GET / HTTP/1.1\r\nHost: {HOST}", *asks, cookie(answer), "", ""])
            assert COOKIE.search(await under_test.exchange(head.encode())) is None

    run(story())


def test_the_gateways_own_answers_set_no_cookie() -> None:
    async def story() -> None:
        async with gateway(replica_wait_s_max=0.05) as under_test:
            under_test.router.replace(sticky(table({"v1": (), "v2": ()})))
            answer = await get(under_test)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert COOKIE.search(answer) is None

    run(story())


def test_a_session_whose_revision_leaves_while_its_request_waits_is_moved() -> None:
    async def story() -> None:
        async with gateway() as under_test, revision(saying("v1")) as one:
            waits = sticky(table({"v1": (one,), "v2": ()}, {"v1": 1, "v2": 9_999}))
            under_test.router.replace(waits)
            asked = asyncio.create_task(get(under_test))
            await until(lambda: under_test.worker.waiting > 0, "a request that waits")
            under_test.router.replace(sticky(table({"v1": (one,), "v3": (one,)})))
            assert COOKIE.search(await asked) is not None

    run(story())


def test_a_split_that_a_header_chooses_has_sessions_of_its_own() -> None:
    async def story() -> None:
        async with two_versions() as (under_test, one, two):
            made = sticky(table({"v1": (one,), "v2": (two,)}))
            row = made.routes["hello"]
            shares = (Share("default/v1", 5_000), Share("default/v2", 5_000))
            chosen = Split("hello?a=b", shares, sticky="cookie", sticky_name="knary-2")
            row = msgspec.structs.replace(row, rules=(HeaderRule("a", "b", chosen),))
            under_test.router.replace(msgspec.structs.replace(made, routes={"hello": row}))
            plain, ruled = await get(under_test), await get(under_test, "A: b")
            assert b"knary-1=" in plain
            assert b"knary-2=" in ruled
            both = f"{cookie(plain)}; {cookie(ruled).removeprefix('Cookie: ')}"
            for _ in range(5):
                assert (await get(under_test, both))[-2:] == plain[-2:]
                assert (await get(under_test, both, "A: b"))[-2:] == ruled[-2:]

    run(story())


def test_a_split_without_sessions_sets_no_cookie_and_one_target_has_none() -> None:
    async def story() -> None:
        async with gateway() as under_test, revision(saying("v1")) as one:
            under_test.router.replace(sticky(table({"v1": (one,)})))
            assert b"Cookie" not in await get(under_test)
            under_test.router.replace(table({"v1": (one,), "v2": (one,)}))
            assert b"Cookie" not in await get(under_test)

    run(story())


def test_the_revision_sees_the_clients_cookies_as_they_are() -> None:
    """As behind nginx, Envoy and Traefik: nothing is taken out of a head that is signed."""

    async def showing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head), head))

    async def story() -> None:
        async with gateway() as under_test, revision(showing) as one:
            under_test.router.replace(sticky(table({"v1": (one,), "v2": (one,)})))
            sent = cookie(await get(under_test))
            assert sent.encode() + b"\r\n" in await get(under_test, sent)

    run(story())


def test_by_a_header_users_stay_over_any_connection_and_protocol() -> None:
    async def story() -> None:
        async with (
            gateway() as under_test,
            revision(saying("v1")) as one,
            revision(saying("v2")) as two,
            h2_client(under_test) as client,
        ):
            made = table({"v1": (one,), "v2": (two,)}, {"v1": 9_000, "v2": 1_000})
            under_test.router.replace(sticky(made, "header", "x-user"))
            users = [f"user-{number}" for number in range(30)]
            first = [(await get(under_test, f"X-User: {user}"))[-2:] for user in users]
            assert Counter(first) == {b"v1": 27, b"v2": 3}
            for user, told in zip(users, first, strict=True):
                answer = await get(under_test, f"x-user:  {user} ", "Knary-Explain: 1")
                assert answer[-2:] == told
                assert b"; sticky=header; session=kept; " in answer
                assert b"Set-Cookie" not in answer
                seen = await client.get("/", ("x-user", user))
                assert seen.body == told
            nobody = [await get(under_test, "Knary-Explain: 1") for _ in range(20)]
            assert {answer[-2:] for answer in nobody} == {b"v1", b"v2"}
            assert all(b"; session=none; because=no-header; " in answer for answer in nobody)

    run(story())


def test_by_their_address_all_clients_of_this_machine_are_one_session() -> None:
    async def story() -> None:
        async with two_versions() as (under_test, one, two):
            under_test.router.replace(sticky(table({"v1": (one,), "v2": (two,)}), "address", ""))
            assert len({(await get(under_test))[-2:] for _ in range(10)}) == 1
            split = under_test.router.hosts.match(HOST.encode()).split
            cells = [target.cell for target in split.targets if target.cell]
            assert sum(cell.sessions_new for cell in cells) == 1

    run(story())


def test_without_room_for_the_file_sessions_are_this_workers_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateway() as under_test, revision(saying("v1")) as one:
            under_test.worker.sessions_file = str(tmp_path / "none" / "sessions")
            made = table({"v1": (one,), "v2": (one,)})
            under_test.router.replace(sticky(made, "header", "x-user"))
            assert b"session=new" in await get(under_test, "X-User: ann", "Knary-Explain: 1")
            assert b"session=kept" in await get(under_test, "X-User: ann", "Knary-Explain: 1")

    run(story())


def test_sessions_that_had_to_make_room_are_counted() -> None:
    async def story() -> None:
        async with gateway(sessions_max=8) as under_test, revision(saying("v1")) as one:
            made = table({"v1": (one,), "v2": (one,)})
            under_test.router.replace(sticky(made, "header", "x-user"))
            for number in range(20):  # one bucket of sixteen
                await get(under_test, f"X-User: {number}")
            figures = under_test.worker.metrics.worker
            await until(lambda: figures.sessions_forgotten > 0, "a tick")
            assert figures.sessions_forgotten == 4

    run(story())
