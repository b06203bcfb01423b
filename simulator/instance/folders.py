"""Prepares an instance's folders: its own, private, and cleared of what an earlier run left."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from simulator.errors import KnaryError
from simulator.instance.paths import InstancePaths

OWNER = "data-folder"  # in a folder of sockets elsewhere: the path of its instance's data


def make_data_folder(data: Path) -> None:
    """Make the data folder, for its owner alone. Raise KnaryError when that cannot be."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = "it is a file" if data.is_file() else error.strerror
        raise KnaryError(
            f"cannot make the data folder {data}: {why}; choose another with --data or KNARY_DATA"
        ) from error


def make_run_folders(paths: InstancePaths) -> None:
    """Make the folders of sockets and process files, empty. Only for the lock's holder."""
    remove_run_folders(paths)
    for folder in {paths.run, paths.sockets}:
        folder.mkdir(mode=0o700, exist_ok=True)
        _insist_on_private(folder)
    if paths.sockets != paths.run:  # among the temporary files: say whose it is
        (paths.sockets / OWNER).write_bytes(os.fsencode(paths.data))


def remove_run_folders(paths: InstancePaths) -> None:
    """Remove what only a running instance needs."""
    for folder in {paths.run, paths.sockets}:
        if folder.is_symlink() or not folder.is_dir():
            continue
        _insist_on_private(folder)
        shutil.rmtree(folder)


def open_log(path: Path, bytes_max: int) -> int:
    """Return a descriptor that appends to the log; a log that grew large is moved aside first."""
    if path.is_file() and path.stat().st_size > bytes_max:
        path.replace(path.with_name(path.name + ".1"))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise KnaryError(f"cannot write the log {path}: {error.strerror}") from error


def _insist_on_private(folder: Path) -> None:
    """Refuse a folder that another user made under our name: sockets in it would be theirs."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise KnaryError(f"{folder} is not a folder of this user's; remove it, or choose --data")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
