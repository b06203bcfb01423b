"""A load under way: its answers as they come, the next N of them, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulator.load.generator import Load
from simulator.load.plan import Answer, LoadPlan
from simulator.load.report import LoadReport


class RunningLoad:
    """Collects what a load brings. `observe` is told each answer."""

    def __init__(self, title: str, plan: LoadPlan, observe: Callable[[str, Answer], None]) -> None:
        self.title = title
        self.answers: list[Answer] = []  # as they came
        self._observe = observe
        self._load = Load(plan, self._take)
        self._window = range(0)
        self._missing = 0
        self._complete = asyncio.Event()
        self._over = False

    async def run(self) -> LoadReport:
        """Send everything and return the report."""
        try:
            return await self._load.run()
        finally:
            self._over = True
            self._complete.set()

    def end(self) -> None:
        """Send nothing more; `run` returns when all is answered."""
        self._load.end()

    async def next_answers(self, count: int) -> tuple[list[Answer], int]:
        """Return the next `count` answers in order of sending, from this moment's next request on.

        Fewer when the load ends before. Beside them: how many other requests were under way at
        some time between the first sending and the last answer.
        """
        first = self._load.sent
        self._window = range(first, first + count)
        self._missing = count
        self._complete.clear()
        if not self._over:
            await self._complete.wait()
        window, self._window = self._window, range(0)
        judged = sorted(
            (answer for answer in self.answers if answer.sequence in window),
            key=lambda answer: answer.sequence,
        )
        if not judged:
            return judged, 0
        sent = min(answer.sent_s for answer in judged)
        done = max(answer.done_s for answer in judged)
        others = sum(
            answer.sent_s <= done and answer.done_s >= sent
            for answer in self.answers
            if answer.sequence not in window
        )
        return judged, others + self._load.in_flight

    def in_order(self) -> list[Answer]:
        """Return all answers so far, in order of sending."""
        return sorted(self.answers, key=lambda answer: answer.sequence)

    def _take(self, answer: Answer) -> None:
        self.answers.append(answer)
        if answer.sequence in self._window:
            self._missing -= 1
            if self._missing == 0:
                self._complete.set()
        self._observe(self.title, answer)
