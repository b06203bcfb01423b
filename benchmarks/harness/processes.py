"""Processes under measurement: started, pinned to cores, their CPU time and memory read (Linux).

Figures come from proc(5). A process is ended by its own id, never by a name.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
STOP_S_MAX = 10.0
KIB = 1024


def pin(pid: int, cores: Iterable[int]) -> None:
    """Give a process and all its threads these cores; threads that it starts later inherit them."""
    wanted = set(cores)
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # a thread that ended meanwhile
            os.sched_setaffinity(int(task.name), wanted)


def cpu_seconds(pids: Iterable[int]) -> tuple[float, float]:
    """Return the user and the system time that these processes have used, added up."""
    user = system = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11])
        system += int(fields[12])
    return user * TICK_S, system * TICK_S


def cpu_ns(pids: Iterable[int]) -> int:
    """Return the CPU time of these processes' live threads, exact to the nanosecond.

    The scheduler's own figure (Documentation/scheduler/sched-stats.rst), where stat(5) counts in
    hundredths of a second: too coarse for a second of a thousand requests.
    """
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                total += int((task / "schedstat").read_text().split()[0])
    return total


def children(pid: int) -> tuple[int, ...]:
    """Return the processes that `pid` started and that still live."""
    return tuple(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def resident_bytes(pid: int) -> int:
    """Return how much of a process's memory is in RAM."""
    return _status_bytes(pid, "VmRSS")


def peak_resident_bytes(pid: int) -> int:
    """Return the greatest `resident_bytes` since `forget_peak`, or since it began."""
    return _status_bytes(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let `peak_resident_bytes` count from now (proc(5): clear_refs, 5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status_bytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * KIB
    raise ProcessLookupError(f"process {pid} has no {field}")


def allow_open_files(wanted: int) -> int:
    """Raise this process's limit of open files, for it and what it starts; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
        except (ValueError, OSError):  # above the hard limit, and not allowed to raise that
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@contextlib.contextmanager
def started(
    command: Sequence[str],
    output: Path,
    *,
    environment: Mapping[str, str] | None = None,
    descriptors: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for the time of the block; what it says goes to `output`."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=dict(environment if environment is not None else os.environ),
            pass_fds=tuple(descriptors),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
