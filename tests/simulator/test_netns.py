"""Namespaces as this machine allows them, or does not."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable

import pytest

from simulator.errors import KnaryError
from simulator.instance.network import settled
from simulator.netns import Kernel, obstacle
from tests.support.networks import needs_networks

NOBODY = 65534
_PR_SET_DUMPABLE = 4


def in_a_child(work: Callable[[], str]) -> str:
    """Return what the work says, done in a forked child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, work().encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


def become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after an exec


def allow_no_networks() -> None:
    """Move into a user namespace in which no network may be made."""
    Kernel()._enter_new_user_namespace()
    with open("/proc/sys/user/max_net_namespaces", "wb") as most:
        most.write(b"0")


@needs_networks
def test_a_new_network_has_a_loopback_of_its_own_and_any_port_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]

        def work() -> str:
            kernel = Kernel()
            kernel.become_able()
            kernel.make_network()
            with socket.socket() as client:
                refused = client.connect_ex(("127.0.0.1", port)) != 0
            kernel.drop_capabilities()
            with socket.socket() as one, socket.socket() as low:
                one.bind(("127.0.0.1", port))
                low.bind(("127.0.0.1", 80))
            return f"refused: {refused}"

        assert in_a_child(work) == "refused: True"


@needs_networks
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_who_is_not_root_gets_networks_in_a_user_namespace_and_stays_who_it_is() -> None:
    def work() -> str:
        become_nobody()
        kernel = Kernel()
        kernel.become_able()
        kernel.make_network()
        return f"{os.getuid()} {os.getgid()}"

    assert in_a_child(work) == f"{NOBODY} {NOBODY}"


@needs_networks
def test_a_machine_that_allows_none_says_why_and_replicas_share_its_network() -> None:
    def work(what: Callable[[], str]) -> Callable[[], str]:
        def there() -> str:
            allow_no_networks()
            return what()

        return there

    why = "unshare: No space left on device"  # what namespaces(7) says beyond a limit
    assert in_a_child(work(obstacle)) == why
    assert in_a_child(work(lambda: settled("auto"))) == "host"

    def insist() -> str:
        with pytest.raises(KnaryError, match=why):
            settled("own")
        return "refused"

    assert in_a_child(work(insist)) == "refused"


@needs_networks
def test_a_machine_that_allows_them_is_not_asked_for_them_in_vain() -> None:
    assert settled("auto") == settled("own") == "own"
    assert settled("host") == "host"
