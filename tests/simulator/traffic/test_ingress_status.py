"""What an Ingress says of itself, for each thing that the gateway may make of it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from simulator.resources.conditions import FALSE, READY, TRUE, UNKNOWN, Condition, find
from simulator.resources.meta import timestamp
from simulator.resources.networking import (
    LOAD_BALANCER_READY,
    NETWORK_CONFIGURED,
    Ingress,
    IngressStatus,
)
from simulator.traffic.ingress_status import status_of
from simulator.traffic.table import Conflicting, Programmed, Verdict, Waiting
from tests.support.traffic import NOW, ingress

HELLO = ingress("hello", {"a": 100}, generation=3)
SERVED = Programmed(3, HELLO.spec.rules)


def facts(status: IngressStatus) -> dict[str, tuple[str, str, str]]:
    return {one.type: (one.status, one.reason, one.message) for one in status.conditions}


def after(verdict: Verdict, before: Ingress = HELLO) -> Ingress:
    return msgspec.structs.replace(before, status=status_of(before, verdict, NOW))


WAITS = (UNKNOWN, "Uninitialized", "Waiting for load balancer to be ready")
REJECTED = (
    FALSE,
    "DomainConflict",
    "Ingress rejected: ingress has a conflicting domain with another ingress",
)
FINE = (TRUE, "", "")


@pytest.mark.parametrize("before", [HELLO, after(Waiting(2, ())), after(Conflicting(2, ""))])
@pytest.mark.parametrize(
    ("verdict", "balancer"),
    [
        pytest.param(SERVED, FINE, id="served"),
        pytest.param(Waiting(3, ("default/a",)), WAITS, id="waiting"),
        pytest.param(Conflicting(3, "h"), REJECTED, id="conflicting"),
    ],
)
def test_conditions(before: Ingress, verdict: Verdict, balancer: tuple[str, str, str]) -> None:
    status = status_of(before, verdict, NOW)
    assert facts(status) == {
        LOAD_BALANCER_READY: balancer,
        NETWORK_CONFIGURED: FINE,
        READY: balancer,
    }
    assert status.observed_generation == 3


def test_a_served_one_has_addresses_and_says_what_is_programmed() -> None:
    status = status_of(HELLO, SERVED, NOW)
    assert (status.programmed, status.programmed_generation) == (HELLO.spec.rules, 3)
    assert status.public_load_balancer is not None
    assert [one.domain_internal for one in status.public_load_balancer.ingress] == [
        "kourier.kourier-system.svc.cluster.local"
    ]


def test_a_new_generation_that_waits_keeps_what_was_programmed() -> None:
    served = after(SERVED)
    new = ingress("hello", {"b": 100}, generation=4)
    before = Ingress(new.metadata, new.spec, served.status)
    status = status_of(before, Waiting(4, ("default/b",)), NOW)
    assert (status.programmed, status.programmed_generation) == (HELLO.spec.rules, 3)
    assert status.observed_generation == 4


def test_nothing_new_is_the_same_status() -> None:
    served = after(SERVED)
    assert status_of(served, SERVED, NOW + timedelta(seconds=9)) == served.status


def test_the_time_of_a_transition_is_that_of_the_change() -> None:
    served = after(SERVED)
    later = NOW + timedelta(seconds=9)
    status = status_of(served, Waiting(4, ()), later)
    times = {one.type: one.last_transition_time for one in status.conditions}
    assert times[NETWORK_CONFIGURED] == timestamp(NOW)
    assert times[READY] == timestamp(later)


def test_a_status_before_anything_is_known_has_no_conditions() -> None:
    assert find(HELLO.status.conditions, READY) is None
    assert isinstance(status_of(HELLO, SERVED, NOW).conditions[0], Condition)
