"""Concurrent writers over the API: what they see can have happened one write after the other."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.api_process import Servers
from tests.support.bare_http import Connection
from tests.support.linearizable import REFUSED, Operation, is_linearizable, stepped
from tests.support.surviving import PATH, new

CLIENTS, OBJECTS = 8, 2
OPERATIONS = 150 if "KNARY_DURABILITY_ROUNDS" not in os.environ else 1_000
SEED = 20260102


def read(began: float, ended: float, version: int = 0, value: str = "") -> Operation:
    code = 200 if version else 404
    return Operation("read", began, ended, code, value, version)


def create(began: float, ended: float, version: int, value: str) -> Operation:
    return Operation("create", began, ended, 201, value, version)


def update(
    began: float, ended: float, versions: tuple[int, int], value: str, code: int = 200
) -> Operation:
    expected, version = versions
    return Operation("update", began, ended, code, value, version, expected)


def delete(began: float, ended: float, expected: int, code: int = 200) -> Operation:
    return Operation("delete", began, ended, code, expected=expected)


MADE = create(0, 1, 5, "a")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([], True, id="nothing"),
        pytest.param([MADE, read(2, 3, 5, "a")], True, id="read what was written"),
        pytest.param([MADE, read(2, 3)], False, id="an acknowledged write is not there"),
        pytest.param([create(0, 3, 5, "a"), read(1, 2)], True, id="read while it is written"),
        pytest.param(
            [MADE, update(2, 5, (5, 6), "b"), read(3, 4, 6, "b"), read(4.5, 6, 5, "a")],
            False,
            id="a read goes back in time",
        ),
        pytest.param(
            [MADE, update(2, 5, (5, 6), "b"), read(3, 4, 5, "a"), read(4.5, 6, 6, "b")],
            True,
            id="a read goes forward in time",
        ),
        pytest.param(
            [MADE, update(2, 5, (5, 6), "b"), update(2, 5, (5, 7), "c")],
            False,
            id="two updates of one version both win",
        ),
        pytest.param(
            [MADE, update(2, 5, (5, 6), "b"), update(2, 5, (5, 0), "c", 409)],
            True,
            id="one wins, one conflicts",
        ),
        pytest.param([MADE, update(2, 3, (5, 0), "b", 409)], False, id="a conflict with nobody"),
        pytest.param([MADE, create(2, 3, 6, "b")], False, id="made twice"),
        pytest.param([MADE, delete(2, 3, 5), create(4, 5, 7, "b")], True, id="made again"),
        pytest.param([MADE, delete(2, 3, 5), read(4, 5, 5, "a")], False, id="back from the dead"),
        pytest.param([MADE, delete(2, 3, 4)], False, id="a delete against its precondition"),
        pytest.param([MADE, delete(2, 3, 0)], True, id="a delete of whatever is there"),
        pytest.param([delete(2, 3, 0)], False, id="a delete of nothing"),
        pytest.param([MADE, delete(2, 3, 0), read(4, 5, 5, "a")], False, id="there after a delete"),
        pytest.param(
            [MADE, update(2, 3, (5, 4), "b"), read(4, 5, 4, "b")], False, id="a version goes back"
        ),
        pytest.param([MADE, delete(2, 6, 5), update(3, 4, (5, 6), "b")], False, id="both won"),
    ],
)
def test_the_checker_knows_what_may_be(history: list[Operation], expected: bool) -> None:
    assert is_linearizable(history) is expected
    assert is_linearizable(history[::-1]) is expected, "only the times say what came first"


@st.composite
def histories(draw: Callable[..., Any]) -> list[Operation]:
    """Histories that happened one after the other, then told as if they had overlapped."""
    state: Any = None
    told = []
    for moment in range(draw(st.integers(0, 14))):
        early, late = draw(st.floats(0, 3)), draw(st.floats(0, 3))
        began, ended = moment - early, moment + late
        version, value = moment + 10, str(moment)
        known = state[0] if state else draw(st.integers(1, 5))
        if state is None:
            operation = draw(
                st.sampled_from(
                    [
                        read(began, ended),
                        create(began, ended, version, value),
                        update(began, ended, (known, 0), value, 404),
                    ]
                )
            )
        else:
            operation = draw(
                st.sampled_from(
                    [
                        read(began, ended, *state),
                        update(began, ended, (known, version), value),
                        update(began, ended, (known - 1, 0), value, 409),
                        delete(began, ended, known),
                        delete(began, ended, 0),
                        delete(began, ended, known - 1, 409),
                    ]
                )
            )
        state = stepped(state, operation)
        assert state is not REFUSED
        told.append(operation)
    return told


@given(histories())
def test_the_checker_believes_what_did_happen(history: list[Operation]) -> None:
    assert is_linearizable(history)


class Client:
    """Does random things to a few objects, and writes down what it was told."""

    def __init__(self, connection: Connection, dice: random.Random) -> None:
        self._connection = connection
        self._dice = dice
        self._seen: dict[str, int] = {}
        self.told: dict[str, list[Operation]] = {}

    async def run(self, operations: int) -> None:
        for _ in range(operations):
            name = f"shared-{self._dice.randrange(OBJECTS)}"
            self.told.setdefault(name, []).append(await self._once(name))

    async def _once(self, name: str) -> Operation:
        known = self._seen.get(name, 0)
        # Reads are many: who has not read lately has no version to win with.
        # Whether a delete of one version wins is chance; one of whatever is there just has to come.
        verbs = ["read"] * 4 + ["create", "remove"]
        verbs += ["update"] * 3 + ["delete"] * 2 if known else []
        verb = self._dice.choice(verbs)
        value = str(self._dice.random())
        document = new(name) | {"data": {"value": value}}
        place = f"{PATH}/{name}"
        now = asyncio.get_running_loop().time
        began = now()
        if verb == "read":
            code, answer = await self._connection.ask("GET", place)
        elif verb == "create":
            code, answer = await self._connection.ask("POST", PATH, document)
        elif verb == "update":
            document["metadata"]["resourceVersion"] = str(known)
            code, answer = await self._connection.ask("PUT", place, document)
        elif verb == "remove":
            verb, known = "delete", 0
            code, answer = await self._connection.ask("DELETE", place)
        else:
            options = {"preconditions": {"resourceVersion": str(known)}}
            code, answer = await self._connection.ask("DELETE", place, options)
        ended = now()
        version = int(answer["metadata"].get("resourceVersion", 0))
        if version:
            self._seen[name] = version
            value = answer["data"]["value"]
        return Operation(verb, began, ended, code, value, version, known)  # type: ignore[arg-type]


def test_concurrent_writers_over_the_api_are_linearizable(tmp_path: Path) -> None:
    async def scenario() -> list[Client]:
        servers = await Servers.over(tmp_path)
        await servers.start()
        dice = random.Random(SEED)
        connections = [await Connection.open(servers.port, servers.token) for _ in range(CLIENTS)]
        clients = [Client(one, random.Random(dice.random())) for one in connections]
        await asyncio.gather(*(client.run(OPERATIONS) for client in clients))
        servers.kill()
        await asyncio.gather(*(one.close() for one in connections))
        await servers.close()
        return clients

    clients = asyncio.run(scenario())
    for name in (f"shared-{number}" for number in range(OBJECTS)):
        history = [operation for client in clients for operation in client.told.get(name, ())]
        codes = {(operation.verb, operation.code) for operation in history}
        # Without these there would have been nothing to get wrong.
        assert {("update", 200), ("update", 409), ("create", 201), ("delete", 200)} <= codes
        assert is_linearizable(history)
