"""Asks a replica how it does: the shell around `probes`."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import os
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from simulator.clock import Clock
from simulator.netns import way_into
from simulator.supervisor.probes import (
    Answer,
    BadCheck,
    Check,
    ExecCheck,
    GrpcCheck,
    HttpCheck,
    Plans,
    ProbePlan,
    Tally,
    TcpCheck,
    Verdict,
    awaited_pause_s,
    awaited_timeout_s,
    judge,
    status_of,
)
from simulator.supervisor.settings import SupervisorSettings
from simulator.supervisor.status import HOST


@dataclass(frozen=True)
class Probed:
    """The process that is asked. `began_s` is its start on the clock's steady reading.

    `fresh` gives sockets of its own network, if it has one.
    """

    port: int
    environment: Mapping[str, str]
    folder: str
    began_s: float
    pid: int = 0
    fresh: Callable[[], Awaitable[socket.socket]] | None = None


class Finding(enum.Enum):
    """What the answers come to."""

    STARTED = "started"  # the startup probe passed, or there is none
    READY = "ready"
    UNREADY = "unready"
    UNHEALTHY = "unhealthy"  # the startup probe's time is over, or the liveness probe failed


Tell = Callable[[Finding], None]


class Prober:
    """Asks one process until cancelled, and tells what its answers come to.

    `tell` hears STARTED first, then READY and UNREADY at each turn of readiness, and UNHEALTHY
    at most once, as the last.
    """

    def __init__(
        self, probed: Probed, plans: Plans, clock: Clock, settings: SupervisorSettings, tell: Tell
    ) -> None:
        self._probed = probed
        self._plans = plans
        self._clock = clock
        self._settings = settings
        self._tell = tell

    async def run(self, *, is_started: bool, is_ready: bool) -> None:
        """Ask; `is_started` and `is_ready` are what is known of a process that was adopted."""
        startup = self._plans.startup
        if not is_started:
            if startup is not None and not await self._await_startup(startup):
                self._tell(Finding.UNHEALTHY)
                return
            self._tell(Finding.STARTED)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_readiness(self._plans.readiness, ready=is_ready))
            if self._plans.liveness is not None:
                tasks.create_task(self._watch_liveness(self._plans.liveness))

    def _ran_s(self) -> float:
        return self._clock.monotonic() - self._probed.began_s

    async def _delay(self, plan: ProbePlan) -> None:
        if (remaining_s := plan.delay_s - self._ran_s()) > 0:
            await asyncio.sleep(remaining_s)

    async def _await_startup(self, plan: ProbePlan) -> bool:
        """Ask until the probe passes, or its time is over."""
        await self._delay(plan)
        tally = Tally()
        while True:
            answer = await self._ask(plan.check, awaited_timeout_s(plan, self._settings))
            tally, verdict = judge(plan, tally, answer is Answer.YES)
            if verdict is Verdict.PASSED:
                return True
            if answer is not Answer.YES and self._ran_s() > plan.deadline_s:
                return False
            await asyncio.sleep(awaited_pause_s(plan, answer, self._ran_s(), self._settings))

    async def _watch_readiness(self, plan: ProbePlan, *, ready: bool) -> None:
        await self._delay(plan)
        tally = Tally()
        while True:
            timeout_s = plan.timeout_s if ready else awaited_timeout_s(plan, self._settings)
            answer = await self._ask(plan.check, timeout_s)
            tally, verdict = judge(plan, tally, answer is Answer.YES)
            if verdict is Verdict.PASSED and not ready:
                ready = True
                self._tell(Finding.READY)
            elif verdict is Verdict.FAILED and ready:
                ready = False
                self._tell(Finding.UNREADY)
            awaited = not ready and tally.passes == 0
            pause_s = awaited_pause_s(plan, answer, self._ran_s(), self._settings)
            if ready or not (awaited or plan.eager):
                pause_s = plan.period_s
            await asyncio.sleep(pause_s)

    async def _watch_liveness(self, plan: ProbePlan) -> None:
        await self._delay(plan)
        tally = Tally()
        while True:
            answer = await self._ask(plan.check, plan.timeout_s)
            tally, verdict = judge(plan, tally, answer is Answer.YES)
            if verdict is Verdict.FAILED:
                self._tell(Finding.UNHEALTHY)
                return
            await asyncio.sleep(plan.period_s)

    async def _ask(self, check: Check, timeout_s: float) -> Answer:
        """Ask once; no answer within `timeout_s` is a NO."""
        try:
            async with asyncio.timeout(timeout_s):
                return Answer.YES if await self._passes(check) else Answer.NO
        except ConnectionRefusedError:
            return Answer.NOBODY
        except (OSError, TimeoutError):
            return Answer.NO

    async def _passes(self, check: Check) -> bool:
        match check:
            case TcpCheck():
                return await self._connects()
            case HttpCheck():
                return await self._answers(check)
            case GrpcCheck():
                return await self._serves(check)
            case ExecCheck():
                return await self._exits_well(check)
            case BadCheck():
                return False

    async def _connected(self) -> socket.socket:
        """Return a connection to the replica's port, in its own network if it has one."""
        if self._probed.fresh is not None:
            probe = await self._probed.fresh()
        else:
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            probe.settimeout(0)
        try:
            await asyncio.get_running_loop().sock_connect(probe, (HOST, self._probed.port))
        except BaseException:
            probe.close()
            raise
        return probe

    async def _connects(self) -> bool:
        (await self._connected()).close()
        return True

    async def _answers(self, check: HttpCheck) -> bool:
        """Send the request, and read no more of the answer than its first line needs."""
        reader, writer = await asyncio.open_connection(
            sock=await self._connected(),
            ssl=_unverified() if check.secure else None,
            server_hostname=HOST if check.secure else None,
            limit=self._settings.probe_answer_bytes_max,
        )
        try:
            writer.write(check.request)
            with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                status = status_of(await reader.readuntil(b"\n"))
                return status is not None and 200 <= status < 400
            return False
        finally:
            writer.transport.abort()

    async def _serves(self, check: GrpcCheck) -> bool:
        """Call Health/Check; the client's code is loaded when the first probe wants it."""
        from simulator.supervisor.healthcheck import HealthCheck

        reader, writer = await asyncio.open_connection(sock=await self._connected())
        call = HealthCheck(check.service, f"{HOST}:{self._probed.port}")
        left = self._settings.probe_answer_bytes_max
        try:
            while call.verdict is None and left > 0:
                writer.write(call.taken())
                data = await reader.read(left)
                if not data:
                    return False
                left -= len(data)
                call.feed(data)
            return call.verdict is True
        finally:
            writer.transport.abort()

    async def _exits_well(self, check: ExecCheck) -> bool:
        """Run the command beside the replica: its folder, its environment, its network."""
        process = await self._start(check)
        try:
            return await process.wait() == 0
        finally:
            if process.returncode is None:  # too slow
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await asyncio.shield(process.wait())

    async def _start(self, check: ExecCheck) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as opened:
            enter = None
            if self._probed.fresh is not None:
                enter = opened.enter_context(way_into(self._probed.pid))
            try:
                return await asyncio.create_subprocess_exec(
                    *check.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    env=dict(self._probed.environment),
                    cwd=self._probed.folder,
                    start_new_session=True,
                    preexec_fn=enter,  # a few system calls, nothing else
                )
            except subprocess.SubprocessError as error:
                raise OSError("the command cannot enter the replica's network") from error


def _unverified() -> object:
    """Return a TLS context that takes any certificate, as the kubelet's probes do."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
