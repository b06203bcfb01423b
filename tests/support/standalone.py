"""`knary gateway` in a process of its own, in front of processes that are not knary's."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from tests.support import named_server
from tests.support.instance import KNARY, children_of, has_ended
from tests.support.knary import environment
from tests.support.waiting import eventually

HOST = "shop.test"
_READY = re.compile(r"knary gateway is ready: http://([0-9.]+):([0-9]+), (.*)")
_WITHIN_S = 30.0


@contextlib.contextmanager
def named_servers(*names: str) -> Iterator[dict[str, str]]:
    """Run a server for each name, each a process; the value is their addresses."""
    with contextlib.ExitStack() as running:
        addresses = {}
        for name in names:
            process = running.enter_context(
                subprocess.Popen(
                    [sys.executable, named_server.__file__, name], stdout=subprocess.PIPE, text=True
                )
            )
            running.callback(process.kill)
            assert process.stdout is not None
            addresses[name] = f"127.0.0.1:{process.stdout.readline().strip()}"
        yield addresses


@contextlib.contextmanager
def file_server(folder: Path, text: str) -> Iterator[str]:
    """Run `python -m http.server`, whose every answer is this text; the value is its address."""
    (folder / text).mkdir()
    (folder / text / "index.html").write_text(text)
    command = (sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1")
    with subprocess.Popen(
        [*command, "--directory", str(folder / text)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = re.search(r"port (\d+)", process.stdout.readline())
            assert said is not None
            yield f"127.0.0.1:{said[1]}"
        finally:
            process.kill()


def split(addresses: dict[str, str], *percents: float) -> list[dict[str, Any]]:
    """Return a file's split over these addresses."""
    return [
        {"name": name, "to": [address], "percent": percent}
        for (name, address), percent in zip(addresses.items(), percents, strict=True)
    ]


class Standalone:
    """`knary gateway -f routes.yaml OPTIONS`, on a free port unless the file says another."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.file = folder / "routes.yaml"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: set[int] = set()

    def write(self, routes: list[dict[str, Any]] | None = None, **others: Any) -> None:
        """Replace the file in one step, by one whose only host is HOST unless told otherwise."""
        document = {"listen": "127.0.0.1:0", "routes": routes, **others}
        self.write_text(json.dumps(document))  # JSON is YAML

    def write_text(self, text: str) -> None:
        fresh = self.folder / "routes.new"
        fresh.write_text(text)
        fresh.replace(self.file)

    def split(self, targets: list[dict[str, Any]], *hosts: str, **others: Any) -> None:
        """Write a file with one route."""
        self.write([{"hosts": hosts or [HOST], "split": targets}], **others)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def start(self) -> None:
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            self._process = subprocess.Popen(
                [*KNARY, "gateway", "-f", self.file.name, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=environment(self.folder),
                start_new_session=True,  # so that a signal of the terminal is sent by the test
            )

        def is_up() -> bool:
            assert self.process.poll() is None, f"it ended: {self.out}{self.err}"
            return _READY.search(self.out) is not None

        eventually("the ready line", is_up, _WITHIN_S)
        self.workers()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; return its exit status once every process of it is gone."""
        self.workers()
        self.process.send_signal(number)
        status = self.process.wait(_WITHIN_S)
        assert self.left_over() == []
        return status

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    @property
    def address(self) -> tuple[str, int]:
        found = _READY.search(self.out)
        assert found is not None
        return found[1], int(found[2])

    def workers(self) -> set[int]:
        """Return the process ids of its workers."""
        found = set(children_of(self.process.pid))
        self._seen |= found
        return found

    def left_over(self) -> list[int]:
        """Return the workers that were seen and live yet."""
        return [pid for pid in self._seen if not has_ended(pid)]

    def hang_up(self) -> None:
        os.kill(self.process.pid, signal.SIGHUP)

    def said(self, text: str) -> None:
        """Wait until it says this on standard error."""
        eventually(f"{text!r}; it said: {self.err}", lambda: text in self.err)

    def texts(self, count: int, host: str = HOST) -> list[str]:
        """Return the bodies of so many answers, all of which must be 200, on one connection."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        texts = []
        try:
            for _ in range(count):
                connection.request("GET", "/", headers={"Host": host})
                answer = connection.getresponse()
                texts.append(answer.read().decode())
                assert answer.status == 200, texts[-1]
        finally:
            connection.close()
        return texts

    def status(self, host: str = HOST) -> int:
        """Return the status of one answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        try:
            connection.request("GET", "/", headers={"Host": host})
            return connection.getresponse().status
        finally:
            connection.close()
