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
from typing import Final, NamedTuple

from simulator.clock import Clock
from simulator.netns import way_into
from simulator.supervisor import answers
from simulator.supervisor.answers import HOST
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

NEVER_S: Final = float("-inf")


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


@dataclass(frozen=True)
class Failed:
    """A probe that failed, and what it was answered. Told of one that is awaited now and then."""

    probe: str  # Readiness, Liveness or Startup
    words: str


class Asked(NamedTuple):
    """What one question brought; `words` say why it is not YES."""

    answer: Answer
    words: str = ""

    @property
    def passed(self) -> bool:
        return self.answer is Answer.YES


Tell = Callable[[Finding | Failed], None]


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
        tally, told_s = Tally(), NEVER_S
        while True:
            asked = await self._ask(plan.check, awaited_timeout_s(plan, self._settings))
            tally, verdict = judge(plan, tally, asked.passed)
            if verdict is Verdict.PASSED:
                return True
            is_late = not asked.passed and self._ran_s() > plan.deadline_s
            if not asked.passed and (is_late or self._is_news(plan, told_s)):
                told_s = self._ran_s()
                self._tell(Failed("Startup", asked.words))
            if is_late:
                return False
            await asyncio.sleep(awaited_pause_s(plan, asked.answer, self._ran_s(), self._settings))

    async def _watch_readiness(self, plan: ProbePlan, *, ready: bool) -> None:
        await self._delay(plan)
        tally, told_s = Tally(), NEVER_S
        while True:
            timeout_s = plan.timeout_s if ready else awaited_timeout_s(plan, self._settings)
            asked = await self._ask(plan.check, timeout_s)
            tally, verdict = judge(plan, tally, asked.passed)
            if not asked.passed and (ready or self._is_news(plan, told_s)):
                told_s = self._ran_s()
                self._tell(Failed("Readiness", asked.words))
            if verdict is Verdict.PASSED and not ready:
                ready = True
                self._tell(Finding.READY)
            elif verdict is Verdict.FAILED and ready:
                ready = False
                self._tell(Finding.UNREADY)
            awaited = not ready and tally.passes == 0
            pause_s = awaited_pause_s(plan, asked.answer, self._ran_s(), self._settings)
            if ready or not (awaited or plan.eager):
                pause_s = plan.period_s
            await asyncio.sleep(pause_s)

    async def _watch_liveness(self, plan: ProbePlan) -> None:
        await self._delay(plan)
        tally = Tally()
        while True:
            asked = await self._ask(plan.check, plan.timeout_s)
            tally, verdict = judge(plan, tally, asked.passed)
            if not asked.passed:
                self._tell(Failed("Liveness", asked.words))
            if verdict is Verdict.FAILED:
                self._tell(Finding.UNHEALTHY)
                return
            await asyncio.sleep(plan.period_s)

    def _is_news(self, plan: ProbePlan, told_s: float) -> bool:
        """Tell whether to say that one is still awaited: after a while, then once a period."""
        ran_s = self._ran_s()
        patience_s = plan.delay_s + self._settings.unready_told_s
        return ran_s >= patience_s and ran_s - told_s >= plan.period_s

    async def _ask(self, check: Check, timeout_s: float) -> Asked:
        """Ask once; no answer within `timeout_s` is a NO."""
        port = self._probed.port
        try:
            async with asyncio.timeout(timeout_s):
                words = await self._flaw(check)
                return Asked(Answer.NO if words else Answer.YES, words)
        except ConnectionRefusedError:
            return Asked(Answer.NOBODY, answers.refused(check, port))
        except TimeoutError:
            return Asked(Answer.NO, answers.too_late(check, port, timeout_s))
        except OSError as error:
            return Asked(Answer.NO, answers.broken(check, port, error))

    async def _flaw(self, check: Check) -> str:
        """Return why the probe fails, "" when it passes. Raise OSError."""
        match check:
            case TcpCheck():
                (await self._connected()).close()
                return ""
            case HttpCheck():
                return answers.of_http(check, await self._answer(check))
            case GrpcCheck():
                return await self._health(check)
            case ExecCheck():
                return await self._run_command(check)
            case BadCheck():
                return check.why

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

    async def _answer(self, check: HttpCheck) -> int | None:
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
                return status_of(await reader.readuntil(b"\n"))
            return None
        finally:
            writer.transport.abort()

    async def _health(self, check: GrpcCheck) -> str:
        """Call Health/Check; the client's code is loaded when the first probe wants it."""
        from simulator.supervisor.healthcheck import HealthCheck

        reader, writer = await asyncio.open_connection(sock=await self._connected())
        call = HealthCheck(check.service, f"{HOST}:{self._probed.port}")
        left = self._settings.probe_answer_bytes_max
        try:
            while call.flaw is None and left > 0:
                writer.write(call.taken())
                data = await reader.read(left)
                if not data:
                    break
                left -= len(data)
                call.feed(data)
            return answers.gone() if call.flaw is None else call.flaw
        finally:
            writer.transport.abort()

    async def _run_command(self, check: ExecCheck) -> str:
        """Run the command beside the replica: its folder, its environment, its network.

        Return what it printed if it failed.
        """
        process = await self._start(check)
        output = bytearray()
        reading = asyncio.ensure_future(self._read_output(process, output))
        try:
            code = await process.wait()
            # Somebody whom it left behind may keep the pipe open.
            await asyncio.wait({reading}, timeout=self._settings.probe_output_wait_s)
            return answers.of_command(code, bytes(output))
        finally:
            reading.cancel()
            if process.returncode is None:  # too slow
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await asyncio.shield(process.wait())

    async def _read_output(self, process: asyncio.subprocess.Process, output: bytearray) -> None:
        """Keep the first bytes, and take the others so that the command is not held up."""
        bytes_max = self._settings.probe_output_bytes_max
        while process.stdout is not None and (part := await process.stdout.read(bytes_max)):
            output += part[: bytes_max - len(output)]

    async def _start(self, check: ExecCheck) -> asyncio.subprocess.Process:
        with contextlib.ExitStack() as opened:
            enter = None
            if self._probed.fresh is not None:
                enter = opened.enter_context(way_into(self._probed.pid))
            try:
                return await asyncio.create_subprocess_exec(
                    *check.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
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
