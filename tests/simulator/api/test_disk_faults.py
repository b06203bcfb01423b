"""A disk that fails under the API: refused in clear words, nothing lost, everything else goes on.

strace makes the calls fail that the store writes and syncs with. `KNARY_DISK_FAULTS=full` lets
every single one of them fail in turn, those of opening the database too.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_process import NotStarted, Servers
from tests.support.bare_http import Connection
from tests.support.surviving import PATH, listed, new

ATTEMPTS = 25
IS_FULL = os.environ.get("KNARY_DISK_FAULTS") == "full"
# Some more than it takes to open the database and to write twice.
EVERY_CALL = [
    *(("fdatasync", number) for number in range(1, 13)),
    *(("pwrite64", number) for number in range(1, 66)),
]
REFUSALS = {
    "EIO": (
        500,
        "InternalError",
        (
            "the store could not write to its disk (disk I/O error): nothing was changed; "
            "free space or mend the disk, then try again"
        ),
    ),
    "ENOSPC": (
        507,
        "InsufficientStorage",
        (
            "the disk that holds the data folder is full: nothing was changed; "
            "free space there, then try again"
        ),
    ),
}
# A sync that fails for want of space says no more to SQLite than that it failed.
REFUSALS["ENOSPC of a sync"] = REFUSALS["EIO"]


@pytest.fixture(scope="module")
def strace() -> str:
    """The path of a strace that may be used."""
    path = shutil.which("strace")
    if path is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run([path, "-qq", "-o", os.devnull, "true"], check=False)
    if tried.returncode != 0:
        pytest.skip("nothing may be traced here")
    return path


def injecting(strace: str, calls: str, error: str, when: str) -> tuple[str, ...]:
    inject = f"inject={calls}:error={error}:when={when}"
    return strace, "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}", "-e", inject


async def write_through(folder: Path, wrapper: tuple[str, ...]) -> list[tuple[int, Any]]:
    """Write one object after the other while calls fail; return the answers.

    After each refusal what is there is what was acknowledged; a watch sees that and no more; and
    after a restart on a disk that works it is all there.
    """
    servers = await Servers.over(folder, *wrapper)
    try:
        await servers.start()
    except NotStarted:
        await servers.close()
        raise
    writer, reader, follower = [
        await Connection.open(servers.port, servers.token) for _ in range(3)
    ]
    version, _ = await listed(reader)
    watch = follower.lines(f"{PATH}?watch=true&resourceVersion={version}")
    answers = []
    acknowledged: dict[str, Any] = {}
    for number in range(ATTEMPTS):
        name = f"c{number:02}"
        code, answer = await writer.ask("POST", PATH, new(name) | {"data": {"n": name}})
        answers.append((code, answer))
        if code == 201:
            acknowledged[name] = answer
            event = json.loads(await anext(watch))
            assert (event["type"], event["object"]) == ("ADDED", answer)
        elif answers[-2:-1] and answers[-2][0] == 201:
            assert (await listed(reader))[1] == acknowledged
    assert (await listed(reader))[1] == acknowledged
    servers.kill()
    for connection in (writer, reader, follower):
        await connection.close()
    await servers.close()
    await require_kept(folder, acknowledged)
    return answers


async def require_kept(folder: Path, acknowledged: dict[str, Any]) -> None:
    """Restart without faults: all that was acknowledged is there, and nothing else."""
    servers = await Servers.over(folder)
    await servers.start()
    reader = await Connection.open(servers.port, servers.token)
    version, found = await listed(reader)
    assert found == acknowledged
    versions = [int(obj["metadata"]["resourceVersion"]) for obj in found.values()]
    assert version == max(versions, default=version)
    servers.kill()
    await reader.close()
    await servers.close()


@pytest.mark.parametrize(
    ("calls", "error", "refusal"),
    [
        ("fdatasync", "EIO", "EIO"),
        ("fdatasync", "ENOSPC", "ENOSPC of a sync"),
        ("pwrite64", "EIO", "EIO"),
        ("pwrite64", "ENOSPC", "ENOSPC"),
    ],
)
def test_a_failing_disk_refuses_clearly_and_is_forgiven(
    tmp_path: Path, strace: str, calls: str, error: str, refusal: str
) -> None:
    # The calls before these open the database and make the namespace.
    when = {"fdatasync": "10..14", "pwrite64": "60..66"}[calls]
    answers = asyncio.run(write_through(tmp_path, injecting(strace, calls, error, when)))
    refused = [answer for code, answer in answers if code != 201]
    assert refused, "no write met a fault"
    for status in refused:
        assert (status["code"], status["reason"], status["message"]) == REFUSALS[refusal]
    assert answers[0][0] == answers[-1][0] == 201, "it wrote before, and writes again after"


@pytest.mark.skipif(not IS_FULL, reason="KNARY_DISK_FAULTS=full, with make durability")
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize(("calls", "call_number"), EVERY_CALL)
def test_whichever_call_fails_nothing_acknowledged_is_lost(
    tmp_path: Path, strace: str, calls: str, error: str, call_number: int
) -> None:
    wrapper = injecting(strace, calls, error, f"{call_number}..{call_number + 1}")
    answers, why = [], ""
    try:
        answers = asyncio.run(write_through(tmp_path, wrapper))
    except NotStarted as error:
        why = str(error)
    if why:  # opening the database met the fault, and nothing was written
        assert "the database" in why or "its disk" in why or "is full" in why
        asyncio.run(require_kept(tmp_path, {}))
    else:
        assert all(code in (201, 500, 507) for code, _ in answers)
        assert answers[-1][0] == 201
