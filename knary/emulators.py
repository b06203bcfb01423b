"""The emulators of a test session: one of each kind that is asked for, started when it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Self

from knary.emulator import Emulator

_MARKED = ("splitter", "workers", "seed")


class Wishes(NamedTuple):
    """What a session asks for unless a test's marker says otherwise."""

    splitter: str | None = None
    workers: int = 1
    seed: int | None = None
    images: Path | None = None
    manifests: tuple[Path, ...] = ()


class Emulators:
    """A context in which they live."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._running: dict[tuple[str | None, int], Emulator] = {}
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def get(self, marked: Mapping[str, Any]) -> Emulator:
        """Return the emulator of the kind that a marker asks for; one that died is replaced."""
        if unknown := marked.keys() - set(_MARKED):
            raise TypeError(f"the marker knary takes {', '.join(_MARKED)}, not {sorted(unknown)}")
        wishes = self._wishes._replace(
            **{name: marked[name] for name in ("splitter", "workers") if name in marked}
        )
        kind = wishes.splitter, wishes.workers
        if kind not in self._running or not self._running[kind].is_running:
            self._running[kind] = self._held.enter_context(
                Emulator(
                    splitter=wishes.splitter,
                    workers=wishes.workers,
                    seed=wishes.seed,
                    images=wishes.images,
                    options=[f"--filename={path}" for path in wishes.manifests],
                )
            )
        return self._running[kind]

    def fresh(self, marked: Mapping[str, Any]) -> Emulator:
        """Return the same, as it began, with the marker's seed."""
        emulator = self.get(marked)
        emulator.reset(seed=marked.get("seed"))
        return emulator


def wishes_of(setting: Callable[[str], Any], folder: Path) -> Wishes:
    """Return what pytest's settings ask for; paths are relative to `folder`."""
    seed, images = setting("knary_seed"), setting("knary_images")
    manifests: Sequence[Path] = setting("knary_manifests")
    return Wishes(
        splitter=setting("knary_splitter") or None,
        workers=int(setting("knary_workers") or 1),
        seed=int(seed) if seed else None,
        images=folder / images if images else None,
        manifests=tuple(manifests),
    )
