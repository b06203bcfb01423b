"""Processes that take turns together from one ledger, each told what to do line by line.

Run as a program it is such a process: PATH ACCOUNTS_MAX SPLITTER.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class TurnTaker:
    """Another process. `ask` waits for its answer, `tell` and `hear` are the halves of that."""

    def __init__(self, path: Path, *, accounts_max: int = 8, splitter: str = "stratified") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(path), str(accounts_max), splitter],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, command: str, argument: object = None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([command, argument]) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, command: str, argument: object = None) -> Any:
        self.tell(command, argument)
        return self.hear()

    def until_stopped(self) -> None:
        """Wait until it has stopped itself."""
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def kill(self) -> None:
        """Kill it with -9, wherever it is."""
        self.process.kill()
        self.process.communicate()


class Stopping(Random):
    """Dice that stop their process when thrown: in the midst of a turn."""

    armed = False

    def random(self) -> float:
        if self.armed:
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().random()


class _Taker:
    def __init__(self, path: str, accounts_max: int, splitter: str) -> None:
        from gateway.ledger import open_ledger

        self._splitter = splitter
        self._dice = Stopping(os.getpid())
        self._ledger = open_ledger(path, accounts_max)
        self._accounts: dict[str, Any] = {}

    def kind(self, _: object) -> str | None:
        return self._ledger.kind if self._ledger else None

    def join(self, name: str) -> int | None:
        """Join a split's account; say its place."""
        assert self._ledger
        account = self._ledger.account(name)
        if account is None:
            return None
        self._ledger.hold(account)
        self._accounts[name] = account
        return account.place

    def leave(self, name: str) -> None:
        assert self._ledger
        self._ledger.drop(self._accounts[name])
        self._ledger.sweep()

    def weights(self, weights: dict[str, int]) -> str:
        """Split by these weights from now on, by the account called "split"."""
        from gateway.splitting.splitter import make_shared

        if "split" not in self._accounts:
            self.join("split")
        self._weights = weights
        account = self._accounts["split"]
        self.splitter = make_shared(self._splitter, weights, {}, self._dice, account)
        return "swapped"

    def pick(self, turns: int) -> dict[str, int]:
        """Take turns; say who got how many, and how many were this worker's own ("alone")."""
        names = list(self._weights)
        counts = dict.fromkeys(names, 0)
        for _ in range(turns):
            counts[names[self.splitter.pick()]] += 1
        assert self._ledger
        return counts | {"alone": self._ledger.take_alone()}

    def last(self, _: object) -> int:
        """Say the number of the last turn."""
        return int(self.splitter.turn)

    def stop_in_a_turn(self, _: object) -> None:
        """Stop between reading what is owed and writing what follows."""
        self._dice.armed = True
        self.splitter.pick()

    def stop_before_serving(self, _: object) -> None:
        """Take a turn, and stop before anything comes of it."""
        self.splitter.pick()
        os.kill(os.getpid(), signal.SIGSTOP)

    def stop_holding_the_lock(self, _: object) -> None:
        """Stop where an interpreted worker exchanges the word that names the record."""
        import fcntl

        assert self._ledger
        head = self._accounts["split"]._head
        fcntl.lockf(self._ledger._file, fcntl.LOCK_EX, 1, head)
        os.kill(os.getpid(), signal.SIGSTOP)

    def close(self, _: object) -> str:
        assert self._ledger
        self._ledger.close()
        return "closed"


def _main() -> None:
    sys.path.insert(0, str(ROOT))
    from knary import compiled

    compiled.use(os.environ)
    taker = _Taker(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    for line in sys.stdin:
        command, argument = json.loads(line)
        print(json.dumps(getattr(taker, command)(argument)), flush=True)  # noqa: T201


if __name__ == "__main__":
    _main()
