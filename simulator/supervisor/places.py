"""The replicas' folders and logs: made before a process starts, removed with its Pod."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from simulator.instance.paths import InstancePaths
from simulator.replicalogs.files import LOG, all_of, is_of_a_log
from simulator.resources.core import Pod
from simulator.supervisor.environment import Place

_OWN = 0o700


def place_of(pod: Pod, paths: InstancePaths) -> Place:
    """Return where a Pod's process lives. Names and uids are DNS labels: no path leads out."""
    folder = paths.replica_folders / pod.uid
    log = paths.replica_logs / pod.metadata.namespace / f"{pod.metadata.name}{LOG}"
    return Place(str(folder), str(folder / "tmp"), str(log))


def make(place: Place) -> None:
    """Make the folders, their owner's alone. Raise OSError."""
    for folder in (place.temporary, os.path.dirname(place.log)):
        Path(folder).mkdir(mode=_OWN, parents=True, exist_ok=True)
    os.chmod(place.folder, _OWN)  # `mode` is not for parents


def remove(place: Place) -> None:
    """Remove all that was made, with what the replica put there."""
    shutil.rmtree(place.folder, ignore_errors=True)
    for log in all_of(place.log):
        with contextlib.suppress(OSError):
            os.unlink(log)


def remove_strangers(paths: InstancePaths, pods: Iterable[Pod]) -> None:
    """Remove folders and logs of replicas whose Pods are gone."""
    places = [place_of(pod, paths) for pod in pods]
    kept = {place.folder for place in places}
    kept |= {log for place in places for log in all_of(place.log)}
    for folder in _entries(paths.replica_folders):
        if str(folder) not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    for namespace in _entries(paths.replica_logs):
        for log in _entries(namespace):
            if str(log) not in kept and is_of_a_log(log.name):
                with contextlib.suppress(OSError):
                    log.unlink()


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
