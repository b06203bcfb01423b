"""Listening sockets: who gets which port, and what is said when none can be had."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.errors import KnaryError
from simulator.instance.options import ParentSettings, UpOptions
from simulator.instance.sockets import (
    Bounds,
    Listening,
    PortChoice,
    PortTaken,
    listen_shared,
    listen_single,
    open_ports,
)

BOUNDS = Bounds(backlog=16, attempts_max=10)
HERE = "127.0.0.1"


def choice(wanted: int | None, default: int = 0) -> PortChoice:
    return PortChoice("gateway", "--port", default, wanted)


@contextlib.contextmanager
def someone_listens() -> Iterator[int]:
    """A program that is no knary, on a port."""
    with socket.create_server((HERE, 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def opened(listening: Listening) -> Iterator[Listening]:
    try:
        yield listening
    finally:
        listening.close()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(None, (8080, 8081, 8082), id="a default moves on"),
        pytest.param(9000, (9000,), id="an explicit one does not"),
        pytest.param(0, (0, 0, 0), id="a free one is asked of the kernel"),
    ],
)
def test_which_ports_are_tried(wanted: int | None, expected: tuple[int, ...]) -> None:
    assert choice(wanted, 8080).candidates(3) == expected


def test_no_port_beyond_the_last_is_tried() -> None:
    assert choice(None, 65534).candidates(10) == (65534, 65535)


def test_all_sockets_of_the_gateway_are_on_one_port() -> None:
    with opened(listen_shared(HERE, choice(0), 3, BOUNDS)) as gateway:
        assert {one.getsockname() for one in gateway.sockets} == {(HERE, gateway.port)}
        assert len(gateway.sockets) == 3
        assert gateway.url("http") == f"http://{HERE}:{gateway.port}"


def test_a_port_that_another_knary_has_is_refused_although_the_kernel_would_share_it() -> None:
    with opened(listen_shared(HERE, choice(0), 1, BOUNDS)) as first:
        expected = (
            f"port {first.port} on {HERE}, wanted for the gateway, is taken;"
            " choose another with --port, or 0 for a free one"
        )
        with pytest.raises(PortTaken) as refused:
            listen_shared(HERE, choice(first.port), 1, BOUNDS)
        assert str(refused.value) == expected


def test_a_port_that_another_program_has_is_refused() -> None:
    with someone_listens() as port:
        with pytest.raises(PortTaken, match=f"port {port} on {HERE}"):
            listen_shared(HERE, choice(port), 1, BOUNDS)
        with pytest.raises(PortTaken, match=f"port {port} on {HERE}"):
            listen_single(HERE, choice(port), BOUNDS)


def test_a_refused_port_leaves_no_lock_behind() -> None:
    with someone_listens() as port, pytest.raises(PortTaken):
        listen_shared(HERE, choice(port), 1, BOUNDS)
    listen_shared(HERE, choice(port), 1, BOUNDS).close()


def test_a_default_port_that_is_taken_moves_to_the_next_free_one_and_says_so() -> None:
    with someone_listens() as port:
        wish = choice(None, port)
        with opened(listen_shared(HERE, wish, 1, BOUNDS)) as gateway:
            assert port < gateway.port <= port + 9
            moved = f"port {port} is taken; the gateway listens on {gateway.port}"
            assert wish.moved(gateway.port) == moved


def test_a_default_port_that_is_free_says_nothing() -> None:
    assert choice(None, 8080).moved(8080) is None


def test_an_explicit_port_never_moves_so_it_says_nothing() -> None:
    assert choice(9000, 8080).moved(9000) is None


@pytest.mark.parametrize("address", ["192.0.2.1", "no such host"])
def test_an_address_of_another_machine_is_refused(address: str) -> None:
    with pytest.raises(KnaryError, match="cannot listen on"):
        listen_single(address, choice(0), BOUNDS)


def test_an_ipv6_address_is_in_brackets() -> None:
    listening = Listening("::1", 8080, ())
    assert listening.url("http") == "http://[::1]:8080"


def test_a_connection_that_waits_is_accepted_from_the_same_socket_later() -> None:
    """What makes a restart of a worker lose nothing: the queue belongs to the parent's socket."""
    with (
        opened(listen_shared(HERE, choice(0), 1, BOUNDS)) as gateway,
        socket.create_connection((HERE, gateway.port), timeout=5) as client,
    ):
        client.sendall(b"hello")
        replacement = socket.socket(fileno=socket.dup(gateway.sockets[0].fileno()))
        replacement.settimeout(5)
        accepted, _ = replacement.accept()
        with accepted, replacement:
            assert accepted.recv(5) == b"hello"


def test_when_one_of_the_ports_is_taken_the_others_are_given_back(tmp_path: Path) -> None:
    free = UpOptions(tmp_path, port=0, local_port=0, api_port=0, console_port=0)
    ports = open_ports(free, ParentSettings())
    port = ports.gateway.port
    ports.close()
    with someone_listens() as taken:
        options = replace(free, port=port, console_port=taken)
        with pytest.raises(PortTaken, match="--console-port"):
            open_ports(options, ParentSettings())
    again = open_ports(replace(free, port=port), ParentSettings())
    assert again.notes == ()
    again.close()
