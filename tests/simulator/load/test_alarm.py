from __future__ import annotations

import asyncio
import sys
import time

import pytest

from simulator.load.alarm import _LoopAlarm, _TimerfdAlarm

KINDS = [pytest.param(_LoopAlarm, id="the loop's timer")]
if sys.platform == "linux":
    KINDS.append(pytest.param(_TimerfdAlarm, id="timerfd"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_alarm_rings_once_and_not_before_its_moment(kind) -> None:
    async def main() -> None:
        rang: list[float] = []
        ringing = asyncio.Event()

        def ring() -> None:
            rang.append(time.monotonic())
            ringing.set()

        alarm = kind(asyncio.get_running_loop(), ring)
        try:
            moment = time.monotonic() + 0.02
            alarm.set(moment + 60)
            alarm.set(moment)  # the later call counts
            async with asyncio.timeout(10):
                await ringing.wait()
            assert len(rang) == 1
            assert rang[0] >= moment - 0.002  # the loop's timer counts whole milliseconds
        finally:
            alarm.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_a_moment_that_has_passed_rings_at_once(kind) -> None:
    async def main() -> None:
        ringing = asyncio.Event()
        alarm = kind(asyncio.get_running_loop(), ringing.set)
        try:
            alarm.set(time.monotonic() - 5)
            async with asyncio.timeout(10):
                await ringing.wait()
        finally:
            alarm.close()

    asyncio.run(main())
