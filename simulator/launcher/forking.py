"""A replica's birth: fork, cut every tie to the launcher, then run the app or the program.

The child is the leader of its own session and process group, dies with the launcher (Linux:
PR_SET_PDEATHSIG), has /dev/null as stdin, its log as stdout and stderr and no other descriptor,
umask 077, no core file, the given environment and nothing else. A program is executed from an
argument list, never by a shell. LD_PRELOAD and its like are passed on as given: whoever may set a
container's environment may set its command too, so they add no power.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from simulator.launcher.logs import open_for_append
from simulator.launcher.protocol import Executable, ForkedApp, Spawn
from simulator.netns import Kernel

CANNOT_EXECUTE: Final = 127  # the exit code of a shell, and of runc, in that case
App = Callable[[], int]

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
# Python ignores these two, and an ignored signal stays ignored over execve.
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)
_DEFAULT_PATH: Final = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Isolation:
    """Descriptors of a replica's own network, and of the user namespace it belongs to if any."""

    network: int
    user_namespace: int | None


class Fork:
    """Forks children that run one of `apps`, or a program of the machine's.

    Made before the first fork: the child may not load a library any more. Without a `kernel` no
    child can be isolated.
    """

    def __init__(self, apps: Mapping[str, App], kernel: Kernel | None = None) -> None:
        self._apps = apps
        self._kernel = kernel
        self._prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None
        self._launcher = os.getpid()

    def knows(self, spawn: Spawn) -> bool:
        """Tell whether the spawn names a program at all."""
        if isinstance(spawn.program, ForkedApp):
            return spawn.program.app in self._apps
        return bool(spawn.program.argv)

    def start(self, spawn: Spawn, isolation: Isolation | None = None) -> int:
        """Start the replica and return its pid. Raise OSError when the system refuses to fork."""
        # A signal between fork and the child's own dispositions would run the launcher's handler
        # in the child, which writes to the launcher's wake-up pipe.
        old = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            pid = os.fork()
            if pid == 0:
                self._live(spawn, isolation, old)
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)

    def _live(
        self, spawn: Spawn, isolation: Isolation | None, mask: set[signal.Signals] | set[int]
    ) -> NoReturn:
        """Be the child, to its end."""
        status = CANNOT_EXECUTE
        try:
            os.setsid()
            if isolation is not None:
                self._enter(isolation)
            self._tie_to_launcher(spawn)
            _reset_signals(mask)
            _redirect(spawn.log)
            os.umask(0o077)
            _, hard = resource.getrlimit(resource.RLIMIT_CORE)
            resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
            os.chdir(spawn.folder)
            if isinstance(spawn.program, Executable):
                _execute(spawn.program.argv, spawn.environment)
            status = self._run_app(spawn.program, spawn.environment)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except OSError as error:
            _complain(spawn, error)
        except BaseException:
            traceback.print_exc()
            status = 1
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (OSError, ValueError):
                    status = status or 1
            os._exit(status)

    def _enter(self, isolation: Isolation) -> None:
        """Move into the replica's own network, and keep none of the power that this takes."""
        if self._kernel is None:
            raise OSError(errno.ENOSYS, "no namespaces here")
        if isolation.user_namespace is not None:
            self._kernel.enter_user(isolation.user_namespace)
        self._kernel.enter_network(isolation.network)
        if isolation.user_namespace is not None:
            self._kernel.drop_capabilities()

    def _tie_to_launcher(self, spawn: Spawn) -> None:
        if self._prctl is None:
            return
        # Entering a user namespace resets both. Who is not dumpable has no readable environment.
        self._prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self._launcher:  # it died before the call
            os._exit(128 + signal.SIGKILL)
        if isinstance(spawn.program, ForkedApp):
            self._prctl(_PR_SET_NAME, spawn.program.app.encode()[:15], 0, 0, 0)

    def _run_app(self, program: ForkedApp, environment: Mapping[str, str]) -> int:
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [program.app, *program.arguments]
        gc.enable()
        return self._apps[program.app]()


def begin_anew(mask: set[signal.Signals] | set[int], descriptors: Iterable[int]) -> None:
    """Be a process of the launcher's own beside it: a session, signals, of its descriptors these.

    It dies with the launcher's end of its socket, at the latest.
    """
    os.setsid()
    kept = {0, 1, 2, *descriptors}
    for descriptor in map(int, os.listdir("/dev/fd")):
        if descriptor not in kept:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(descriptor)
    _reset_signals(mask)


def _reset_signals(mask: set[signal.Signals] | set[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, *_IGNORED_BY_PYTHON):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _redirect(log: str) -> None:
    """Point the three standard descriptors where they belong, and close every other."""
    source = os.open(os.devnull, os.O_RDONLY)
    target = open_for_append(log)
    os.dup2(source, 0)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.closerange(3, max(map(int, os.listdir("/dev/fd"))) + 1)


def _execute(argv: tuple[str, ...], environment: Mapping[str, str]) -> NoReturn:
    """Become the program. Raise OSError when that is impossible."""
    program = argv[0]
    if "/" in program:
        os.execve(program, argv, environment)  # noqa: S606 (no shell is the point)
    refused: OSError | None = None
    for folder in (environment.get("PATH") or _DEFAULT_PATH).split(":"):
        try:
            os.execve(os.path.join(folder or ".", program), argv, environment)  # noqa: S606
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:  # as a shell does: go on, but remember that something was there
            refused = refused or error
    raise refused or FileNotFoundError(errno.ENOENT, "not found in PATH", program)


def _complain(spawn: Spawn, error: OSError) -> None:
    """Say in the replica's log why it could not start."""
    program = spawn.program
    name = program.argv[0] if isinstance(program, Executable) else program.app
    where = f" ({error.filename})" if error.filename and error.filename != name else ""
    message = f"knary: cannot start {name!r}: {error.strerror}{where}\n"
    try:
        os.write(2, message.encode("utf-8", "backslashreplace"))
    except OSError:
        return
