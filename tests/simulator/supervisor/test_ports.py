"""Loopback ports, leased and given back."""

from __future__ import annotations

import socket

import pytest

from simulator.supervisor.ports import NoPort, Ports
from simulator.supervisor.settings import SupervisorSettings
from tests.support.launcher import free_port

RANGE = SupervisorSettings(port_min=29_100, port_max=29_103, ports_remembered=2)


def test_a_lease_is_in_the_range_and_nobody_elses() -> None:
    ports = Ports(2, RANGE)
    leased = [ports.lease() for _ in range(4)]
    assert sorted(leased) == [29_100, 29_101, 29_102, 29_103]
    assert leased[0] == 29_102
    with pytest.raises(NoPort, match="no free port from 29100 to 29103"):
        ports.lease()


def test_a_port_on_which_somebody_listens_is_not_leased() -> None:
    with socket.create_server(("127.0.0.1", 29_101)):
        ports = Ports(0, RANGE)
        assert [ports.lease() for _ in range(3)] == [29_100, 29_102, 29_103]
        assert not ports.is_free(29_101)
    assert ports.is_free(29_101)


def test_a_port_given_back_is_not_leased_again_so_soon() -> None:
    ports = Ports(0, RANGE)
    first = ports.lease()
    ports.give_back(first)
    assert [ports.lease() for _ in range(3)] == [29_101, 29_102, 29_103]
    assert ports.lease() == first  # the only one left


def test_a_port_kept_from_before_is_leased() -> None:
    ports = Ports(0, RANGE)
    ports.keep(29_100)
    assert ports.lease() == 29_101
    ports.give_back(12345)  # never leased: nothing to give back


def test_lingering_connections_do_not_take_a_replicas_port_away() -> None:
    ports = Ports(0, RANGE)
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server:
        client = socket.create_connection(("127.0.0.1", port))
        accepted = server.accept()[0]
        accepted.close()  # first to close: this side lingers in TIME_WAIT
        client.close()
    assert ports.is_free(port)
