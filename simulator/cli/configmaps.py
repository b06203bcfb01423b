"""Waiting for a ConfigMap of the operator's: until what it changes of all that is there is so."""

from __future__ import annotations

import time
from typing import NamedTuple

from simulator.access.waiting import OUTAGE_S_MAX, is_ready
from simulator.cli.exits import CommandFailed
from simulator.cli.instance import Instance
from simulator.cli.kinds import (
    CONFIG_MAP,
    CONFIGURATION,
    DOMAIN_MAPPING,
    REVISION,
    ROUTE,
    SERVICE,
    Kind,
)
from simulator.cli.waiting import WaitFlags
from simulator.client import ApiClient, ApiRefused, NotReady, NotRunning, WaitTimedOut
from simulator.config.current import NAMES, NAMESPACE
from simulator.config.keys import why_nobody_waits

# From below: what is not ready makes those behind it wait.
_WATCHED = (REVISION, CONFIGURATION, ROUTE, DOMAIN_MAPPING, SERVICE)
# A setting changes a Route or a Revision; that a Configuration; that a Service.
_HOPS = 3
_POLL_INTERVAL_S = 0.05


class Known(NamedTuple):
    """An object, by its kind's place in `_WATCHED`."""

    kind: Kind
    namespace: str
    name: str

    @property
    def shown(self) -> str:
        return f"{self.kind.qualified}/{self.name} in namespace {self.namespace}"


def is_operators(kind: Kind, namespace: str, name: str) -> bool:
    """Tell whether the object is one of the operator's ConfigMaps."""
    return kind == CONFIG_MAP and namespace == NAMESPACE and name in NAMES


def ready_now(client: ApiClient) -> frozenset[Known]:
    """Return what is Ready before a setting changes: what must be so again afterwards."""
    return frozenset(
        known for kind in _WATCHED for known, is_so in _states(client, kind).items() if is_so
    )


def wait_in_force(
    instance: Instance, client: ApiClient, before: frozenset[Known], wait: WaitFlags
) -> None:
    """Return once the controllers have obeyed the settings, and `before` is Ready by them.

    Raise CommandFailed, WaitTimedOut.
    """
    deadline = time.monotonic() + wait.timeout_s
    for _ in range(_HOPS):
        newest = client.list(CONFIG_MAP, NAMESPACE)["metadata"]["resourceVersion"]
        _until_reconciled(instance, int(newest), deadline)
        for kind in _WATCHED:
            for known, is_so in _states(client, kind).items():
                if known in before and not is_so:
                    _until_ready(client, known, deadline, wait)


def message(name: str) -> str:
    """Return what to say of a ConfigMap that was applied and waited for, if it needs waiting."""
    return why_nobody_waits(name) or "is in force"


def _states(client: ApiClient, kind: Kind) -> dict[Known, bool]:
    return {
        Known(kind, one["metadata"]["namespace"], one["metadata"]["name"]): is_ready(
            {**one, "kind": kind.kind}
        )
        for one in client.list(kind)["items"]
    }


def _until_reconciled(instance: Instance, version: int, deadline: float) -> None:
    answered = time.monotonic()
    while True:
        try:
            found = instance.console("/knary/status")["controlPlane"]
            # An instance that is older than this command does not say.
            if found.get("reconciled", version) >= version:
                return
            answered = time.monotonic()
        except NotRunning:
            # The control plane may be restarting: what it acknowledged is not lost by that.
            if time.monotonic() - answered > OUTAGE_S_MAX:
                raise
        if time.monotonic() >= deadline:
            raise WaitTimedOut("timeout: the controllers have not obeyed the settings yet")
        time.sleep(_POLL_INTERVAL_S)


def _until_ready(client: ApiClient, known: Known, deadline: float, wait: WaitFlags) -> None:
    left_s = max(0.0, deadline - time.monotonic())
    try:
        client.wait_ready(known.kind, known.namespace, known.name, left_s, wait.window_s)
    except NotReady as error:
        raise CommandFailed(f"by the new settings {known.shown} is not ready: {error}") from error
    except WaitTimedOut as error:
        raise WaitTimedOut(f"{known.shown}: {error}") from error
    except ApiRefused as error:
        if error.code != 404:  # it was deleted meanwhile
            raise
