"""The files of one instance. All are readable by their owner alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# sun_path holds 104 bytes on macOS, 108 on Linux, with the closing NUL.
UNIX_SOCKET_PATH_BYTES_MAX = 100
WORKER_METRICS = "worker-*.metrics*"  # all of them, in the folder `run`
SOCKETS_ELSEWHERE = Path("/tmp")  # noqa: S108 (a folder in it is made 0700, its owner checked)


@dataclass(frozen=True)
class InstancePaths:
    """Where one instance keeps what it keeps. `data` is the folder of `--data`."""

    data: Path

    @property
    def run(self) -> Path:
        """Return the folder of sockets and of `instance.json`; emptied when knary stops."""
        return self.data / "run"

    @property
    def description(self) -> Path:
        """Return the JSON file that says where the running instance answers."""
        return self.run / "instance.json"

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def database(self) -> Path:
        return self.data / "store.sqlite"

    @property
    def kubeconfig(self) -> Path:
        return self.data / "kubeconfig"

    @property
    def token(self) -> Path:
        return self.data / "token"

    @property
    def session_key(self) -> Path:
        """Return the key that signs sessions' cookies; who has it can make some."""
        return self.data / "session-key"

    @property
    def sessions(self) -> Path:
        """Return where workers note the sticky sessions that are no cookies."""
        return self.data / "sessions"

    @property
    def certificates(self) -> Path:
        """Return the folder of the CA and of the API's certificate."""
        return self.data / "tls"

    @property
    def images(self) -> Path:
        """Return the user's image map; it may be absent."""
        return self.data / "images.yaml"

    @property
    def log(self) -> Path:
        """Return knary's own log."""
        return self.data / "knary.log"

    @property
    def replica_logs(self) -> Path:
        """Return the folder of NAMESPACE/POD.log, one file per replica."""
        return self.data / "logs"

    @property
    def replica_folders(self) -> Path:
        """Return the folder of the replicas' private working folders, one per pod."""
        return self.data / "replicas"

    @property
    def sockets(self) -> Path:
        """Return the folder of Unix sockets: `run`, unless its path is too long for one."""
        longest = len(os.fsencode(self.run / "networks.sock"))
        if longest <= UNIX_SOCKET_PATH_BYTES_MAX:
            return self.run
        import hashlib  # 5 ms that only long paths pay

        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return SOCKETS_ELSEWHERE / f"knary-{os.getuid()}-{digest}"

    @property
    def gateway_socket(self) -> Path:
        """Return the Unix socket on which the control plane awaits the gateway's workers."""
        return self.sockets / "gateway.sock"

    @property
    def launcher_socket(self) -> Path:
        """Return the Unix socket on which the launcher awaits the control plane."""
        return self.sockets / "launcher.sock"

    @property
    def networks_socket(self) -> Path:
        """Return the Unix socket on which sockets of the replicas' own networks are had."""
        return self.sockets / "networks.sock"

    @property
    def gates(self) -> Path:
        """Return where workers count what concurrency limits let in; their sockets are beside."""
        return self.sockets / "gates"

    @property
    def turns(self) -> Path:
        """Return where several workers take the turns of splits together."""
        return self.sockets / "turns"

    def worker_metrics(self, worker: int) -> Path:
        """Return the file of what a worker counts; a successor's may have a number at its end."""
        return self.run / f"worker-{worker}.metrics"

    def worker_pid(self, worker: int) -> Path:
        return self.run / f"worker-{worker}.pid"


def default_data_folder(environment: Mapping[str, str]) -> Path:
    """Return KNARY_DATA, or knary's folder among the user's data (XDG base directories)."""
    if chosen := environment.get("KNARY_DATA"):
        return Path(chosen).expanduser().absolute()
    base = environment.get("XDG_DATA_HOME", "")
    if not base or not os.path.isabs(base):
        base = os.path.join(environment.get("HOME") or os.path.expanduser("~"), ".local", "share")
    return Path(base) / "knary"
