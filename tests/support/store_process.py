"""A process that does nothing but write to a store, to be killed or to be starved of disk.

`python -m tests.support.store_process write FOLDER ROUND` acknowledges each write on stdout:
"put NAME VERSION IMAGE" or "gone NAME VERSION". `full FOLDER` tries to write when it may not.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from simulator.errors import StorageFailed
from simulator.resources.meta import Key
from simulator.resources.serving import Service
from simulator.store.objects import Store
from tests.support.stored import open_store, service, take, unversioned, with_image

ROOT = Path(__file__).resolve().parents[2]
WRITERS = 4
BYTES_SOFT_MAX = 60_000  # of any file, while the disk is "full": about what a few writes need

MOUNT_BYTES = 1024 * 1024
FILLER_BYTES = MOUNT_BYTES // 2


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start this module as a process whose stdout is a pipe."""
    command = [sys.executable, "-m", "tests.support.store_process", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


async def write_for_ever(folder: Path, round_: str) -> None:
    """Create, change and delete, in several tasks, until killed."""
    async with open_store(folder) as store:
        await asyncio.gather(*(_write(store, f"w{n}", round_) for n in range(WRITERS)))


async def _write(store: Store, name: str, round_: str) -> None:
    step = 0
    while True:
        step += 1
        image = f"{round_}:{step}"
        if store.get(Service, "default", name) is None:
            obj = await store.create(service(name, image))
        elif step % 5 == 0:
            obj = await store.delete(Service, Key("default", name))
            _say("gone", name, obj.metadata.resource_version)
            continue
        else:
            obj = await store.update(service(name, image))
        _say("put", name, obj.metadata.resource_version, image)


async def fill_the_disk(folder: Path) -> None:
    """Write until the disk is full; check that nothing changed, and that all goes on after.

    The limit on a file's size stands in for the disk: no right is needed to set it.
    """
    # Instead of being killed by the signal, a write beyond the limit fails as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def make_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES_SOFT_MAX, hard))
    await _check_full(folder, make_room)


async def fill_the_mount(folder: Path) -> None:
    """Do the same on a small file system, filled by another file."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        file.write(b"x" * FILLER_BYTES)
    await _check_full(folder, filler.unlink)


async def _check_full(folder: Path, make_room: Callable[[], None]) -> None:
    async with open_store(folder) as store:
        watch = store.watch()
        written = 0
        last = await store.create(service())
        while True:
            update = store.update(with_image(last, f"app:{written}"))
            (result,) = await asyncio.gather(update, return_exceptions=True)
            if not isinstance(result, Service):
                break
            last, written = result, written + 1
        assert isinstance(result, StorageFailed)
        assert "nothing was changed" in result.message
        version = store.version
        assert store.get(Service, "default", "hello") is last
        # Several at once, one resting on the other: all refused, whatever they would have said.
        refused = await asyncio.gather(
            store.create(service("new")),
            store.update(service("new", "app:x")),
            store.create(service("new")),
            store.update(unversioned(with_image(last, "app:y"))),
            return_exceptions=True,
        )
        assert all(isinstance(one, StorageFailed) for one in refused), refused
        assert store.list(Service) == (last,)
        assert store.version == version
        await take(watch, written + 1)
        assert watch.is_drained
        make_room()
        after = await store.update(with_image(last, "app:after"))
        assert int(after.metadata.resource_version) > version
        assert (await take(watch, 1))[0].object is after
    async with open_store(folder) as store:
        assert store.list(Service) == (after,)
        assert store.version == int(after.metadata.resource_version)
    _say("written", str(written))


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


MODES: dict[str, Callable[..., Awaitable[None]]] = {
    "write": write_for_ever,
    "full": fill_the_disk,
    "mount": fill_the_mount,
}

if __name__ == "__main__":
    mode, place, *rest = sys.argv[1:]

    async def main() -> None:
        await MODES[mode](Path(place), *rest)

    asyncio.run(main())
