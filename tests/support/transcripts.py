"""Transcripts: command lines and what they print, in files that are the expectation.

`$ ` begins a command line; what follows up to the next is what it prints on both streams, then
`[N]` when its exit status N is not 0. `~ ` begins one that is asked again until it prints that:
controllers may still be at work. Lines with `# ` right before a command are for the reader.
KNARY_GOLDEN=write writes the files anew, from what is printed now.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import takewhile
from pathlib import Path

from msgspec import Struct, structs

from tests.support.clients import Client
from tests.support.waiting import eventually

WRITE_VARIABLE = "KNARY_GOLDEN"
SETTLED_COUNT = 10
SETTLED_S_MAX = 20.0

# What differs from run to run, and what is shown instead.
_CHANGING = (
    (r"(?m)^ +\d+\.\d{3}s .*\n", ""),  # kn's progress: which steps it sees is chance
    (r"(?m)^Warning: Kubernetes default value is insecure.*\n", ""),  # as Knative: each time
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "DATE"),
    (r"(?m)^W\d{4} .*\n", ""),  # the log of client-go
    (r"(?m)^(diff -u -N|---|\+\+\+) .*\n", ""),  # the names of kubectl's own files
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
    (r"""(resourceVersion"?: ?|Resource Version: +)"?\d+"?""", r"\1RV"),
    (r"""(knary.dev/pid: )"?\d+"?""", r"\1PID"),
    (r"listening on port \d+", "listening on port PORT"),
    (r'"(gitVersion|gitCommit|goVersion|platform)": "[^"]*"', r'"\1": ...'),
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"\(pinned to [0-9a-f]{6}\)", "(pinned to DIGEST)"),
    (r"-deployment-[a-z0-9]{8,10}(-[a-z0-9]{5})?", "-deployment-ID"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"(?m)((?<=  )|(?<= \())(\d+m)?\d+s(?= |\)|$)", "AGE"),
    (r"(?<!\n[-+])(?<=\S) {2,}(?=\S)", "  "),  # columns are as wide as what was replaced
    (r"(?m) +$", ""),
)


class Step(Struct, frozen=True):
    """One command: what is said of it, its line after `$ ` or `~ `, and what it prints."""

    notes: str
    mark: str
    command: str
    printed: str


def read(path: Path) -> list[Step]:
    """Return the steps of a file."""
    notes, *parts = re.split(r"(?m)^([$~]) ", path.read_text(encoding="utf-8"))
    steps: list[Step] = []
    for mark, part in zip(parts[::2], parts[1::2], strict=True):
        command, _, rest = part.partition("\n")
        lines = rest.splitlines(keepends=True)
        end = len(lines)
        while end and (lines[end - 1].startswith("# ") or not lines[end - 1].strip()):
            end -= 1
        steps.append(Step(notes, mark, command, "".join(lines[:end])))
        notes = "".join(lines[end:])
    return steps


def write(path: Path, steps: list[Step]) -> None:
    """Write the steps as a file that `read` understands."""
    parts = [f"{step.notes}{step.mark} {step.command}\n{step.printed}" for step in steps]
    path.write_text("".join(parts), encoding="utf-8")


def play(path: Path, clients: Mapping[str, Client], cwd: Path) -> None:
    """Run every command of a file in its order; what each prints must be what is written.

    A command's first word names its client; relative names of files are below `cwd`.
    """
    writes = os.environ.get(WRITE_VARIABLE) == "write"
    steps = []
    for step in read(path):
        ask = partial(_run, clients[client_of(step.command)], step.command, cwd)
        if step.mark == "$":
            printed = ask()
        else:
            printed = _settled(ask) if writes else _until(step.printed, ask)
        steps.append(structs.replace(step, printed=printed))
        if not writes and printed != step.printed:
            lines = (step.printed.splitlines(), printed.splitlines())
            differences = "\n".join(difflib.unified_diff(*lines, "expected", "printed", n=2))
            raise AssertionError(f"{path.name}: $ {step.command}\n{differences}")
    if writes:
        write(path, steps)


def client_of(command: str) -> str:
    """Return the name of a command line's client: its first word that sets no variable."""
    return next(word for word in shlex.split(command) if "=" not in word)


def _until(expected: str, ask: Callable[[], str]) -> str:
    """Return what is printed: `expected`, or what was printed last in the time there is."""
    last = [""]

    def is_printed() -> bool:
        last[0] = ask()
        return last[0] == expected

    with suppress(AssertionError):
        eventually("what is expected", is_printed, SETTLED_S_MAX)
    return last[0]


def _settled(ask: Callable[[], str]) -> str:
    """Return what is printed once it has not changed for a while."""
    seen = [ask()]

    def is_settled() -> bool:
        seen.append(ask())
        return len(seen) > SETTLED_COUNT and len(set(seen[-SETTLED_COUNT:])) == 1

    eventually("what is printed to settle", is_settled, SETTLED_S_MAX)
    return seen[-1]


def shown(text: str) -> str:
    """Return what a client printed without what differs from run to run."""
    for pattern, replacement in _CHANGING:
        text = re.sub(pattern, replacement, text)
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    return "".join(f"{line}\n" for line in lines)


def _run(client: Client, command: str, cwd: Path) -> str:
    """Return what the command line prints; NAME=VALUE before it is in its environment."""
    words = shlex.split(command)
    variables = list(takewhile(lambda word: "=" in word, words))
    settings = dict(word.split("=", 1) for word in variables)
    done = client.run(*words[len(variables) + 1 :], check=False, cwd=cwd, **settings)
    status = f"[{done.status}]\n" if done.status else ""
    return shown(done.out + done.err) + status
