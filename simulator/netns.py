"""Linux's network namespaces, with the user namespace that who is not root needs for them.

`Kernel` makes the system calls; `obstacle` tells whether this machine allows what knary does with
them. A TCP socket belongs to the namespace in which it was made, whoever uses it afterwards.
Sources: network_namespaces(7), user_namespaces(7), netdevice(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000  # linux/sched.h
_CLONE_NEWNET: Final = 0x40000000
_CAP_NET_ADMIN: Final = 1 << 12  # linux/capability.h
_CAP_SYS_ADMIN: Final = 1 << 21
_CAPABILITY_VERSION_3: Final = 0x20080522
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_PR_SET_NAME: Final = 15
_SIOCSIFFLAGS: Final = 0x8914  # linux/sockios.h
_IFF_UP: Final = 1
_SAID_BYTES_MAX: Final = 1024
_TRIAL_S_MAX: Final = 10
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC


class Kernel:
    """The calls. Made before a fork: the child need not load a library any more."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def become_able(self) -> None:
        """Get the right to make network namespaces; who is not root gets it in a user namespace.

        There everything is as before, for this user is mapped to itself. The process must have
        one thread. Raise OSError.
        """
        if not is_privileged():
            self._enter_new_user_namespace()

    def _enter_new_user_namespace(self) -> None:
        user, group = os.geteuid(), os.getegid()
        self._call(self._libc.unshare, _CLONE_NEWUSER)
        # The kernel takes a map from who is not root only once setgroups(2) is given up.
        for name, text in (
            ("setgroups", b"deny"),
            ("uid_map", b"%d %d 1" % (user, user)),
            ("gid_map", b"%d %d 1" % (group, group)),
        ):
            try:
                with open(f"/proc/self/{name}", "wb", buffering=0) as file:
                    file.write(text)
            except OSError as error:
                raise OSError(error.errno, f"{name}: {error.strerror}") from error

    def make_network(self) -> int:
        """Move this thread into a new network with a loopback; return its descriptor.

        Any port may be listened on, as in a container of containerd's. Raise OSError.
        """
        self._call(self._libc.unshare, _CLONE_NEWNET)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            up = struct.pack("16sH14x", b"lo", _IFF_UP)  # struct ifreq
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, up)
        with (
            contextlib.suppress(OSError),  # where /proc/sys is read-only, root's ports stay root's
            open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "wb") as first,
        ):
            first.write(b"0")
        return self.network()

    def network(self) -> int:
        """Return a descriptor of this thread's network."""
        return os.open("/proc/thread-self/ns/net", _OPEN)

    def enter_network(self, descriptor: int) -> None:
        """Move this thread into that network. Raise OSError."""
        self._call(self._libc.setns, descriptor, _CLONE_NEWNET)

    def enter_user(self, descriptor: int) -> None:
        """Move this process, which has one thread, into a user namespace of its user's."""
        self._call(self._libc.setns, descriptor, _CLONE_NEWUSER)

    def drop_capabilities(self) -> None:
        """Give up what a user namespace gave; for who is not root an exec does the same."""
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        self._call(self._libc.capset, header, (ctypes.c_uint32 * 6)())

    def settle(self, name: bytes) -> None:
        """Call this process so, and let it die with its parent; after its rights have changed."""
        self._libc.prctl(_PR_SET_NAME, name[:15], 0, 0, 0)
        self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def _call(self, function: ctypes._NamedFuncPointer, *arguments: object) -> None:
        if function(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


def is_privileged() -> bool:
    """Tell whether this process may make network namespaces as it is."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            name, _, value = line.partition(b":")
            if name == b"CapEff":
                needed = _CAP_SYS_ADMIN | _CAP_NET_ADMIN
                return int(value, 16) & needed == needed
    return False


def user_namespace_of(pid: int | str = "self") -> int:
    """Return a descriptor of a process's user namespace. Raise OSError."""
    return os.open(f"/proc/{pid}/ns/user", _OPEN)


@contextlib.contextmanager
def way_into(pid: int) -> Iterator[Callable[[], None]]:
    """Give what a child, once forked, has to call to be in that process's network. Raise OSError.

    It is this user's process, and has a network of its own, or gets one in a moment: until then
    this raises, too. The child must have one thread, as one has after a fork.
    """
    kernel = Kernel()
    with contextlib.ExitStack() as opened:
        network, user = os.open(f"/proc/{pid}/ns/net", _OPEN), -1
        opened.callback(os.close, network)
        if os.fstat(network).st_ino == os.stat("/proc/self/ns/net").st_ino:
            raise OSError(errno.EAGAIN, "it is not in a network of its own yet")
        if os.stat(f"/proc/{pid}/ns/user").st_ino != os.stat("/proc/self/ns/user").st_ino:
            user = user_namespace_of(pid)
            opened.callback(os.close, user)

        def enter() -> None:
            if user >= 0:
                kernel.enter_user(user)
            kernel.enter_network(network)
            if user >= 0:
                kernel.drop_capabilities()

        yield enter


def obstacle() -> str:
    """Return why this machine does not give a replica a network of its own; "" when it does.

    It is tried, in a child: what forbids it (seccomp, AppArmor, a sysctl) cannot be asked.
    """
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    kernel = Kernel()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(_TRIAL_S_MAX)
            said = _try(kernel)
            os.write(writing, said.encode("utf-8", "replace")[:_SAID_BYTES_MAX])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read(_SAID_BYTES_MAX).decode("utf-8", "replace")
    os.waitpid(pid, 0)
    return "" if said == _WORKS else said or "the trial was ended"


_WORKS: Final = "it works"


def _try(kernel: Kernel) -> str:
    """Make a network, and connect two sockets there."""
    try:
        kernel.become_able()
        os.close(kernel.make_network())
        with socket.socket() as server, socket.socket() as client:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            client.connect(server.getsockname())
    except OSError as error:
        return error.strerror or str(error)
    return _WORKS
