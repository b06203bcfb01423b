"""The user's image map on disk, read again when it changes."""

from __future__ import annotations

import logging
from pathlib import Path

from msgspec.structs import replace

from simulator.images import ImageMap, ImageMapError, built_in, parse_image_map

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int] | None  # mtime in ns, size, inode; None when there is no file

IMAGE_MAP_BYTES_MAX = 4 * 1024 * 1024


class ImageFile:
    """The map in force: the rules of `extra` (`--images FILE`), of `path`, then the built-in ones.

    Made when knary starts: raise ImageMapError when `extra` is missing or either is broken. Later
    a broken file is logged once per change, and the last good rules stay, which the map says.
    """

    def __init__(self, path: Path | None, extra: Path | None = None) -> None:
        self._files = [file.absolute() for file in (extra, path) if file is not None]
        self._stamps: dict[Path, _Stamp] = {}
        self._maps: dict[Path, ImageMap] = {}
        self._built_in = built_in()
        if extra is not None and not extra.is_file():
            raise ImageMapError(f"{extra}: no such file; --images wants an image map")
        for file in self._files:
            self._stamps[file] = _stamp(file)
            self._maps[file] = _read(file)
        self._current = self._join()

    def current(self) -> ImageMap:
        """Return the map as the files have it now."""
        changed = False
        for file in self._files:
            stamp = _stamp(file)
            if stamp == self._stamps[file]:
                continue
            self._stamps[file] = stamp
            changed = True
            try:
                self._maps[file] = _read(file)
            except ImageMapError as error:
                log.warning("%s; the rules read before stay in force", error)
                self._maps[file] = replace(self._maps[file], flaw=str(error))
        if changed:
            self._current = self._join()
        return self._current

    def _join(self) -> ImageMap:
        joined = ImageMap()
        for file in self._files:
            joined = joined.before(self._maps[file])
        return joined.before(self._built_in)


def _stamp(file: Path) -> _Stamp:
    try:
        status = file.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(file: Path) -> ImageMap:
    """Return the file's rules, none when it is absent. Raise ImageMapError."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(IMAGE_MAP_BYTES_MAX + 1)
        if len(raw) > IMAGE_MAP_BYTES_MAX:
            raise ImageMapError(f"{file}: larger than {IMAGE_MAP_BYTES_MAX} bytes")
        return parse_image_map(raw.decode(), str(file))
    except FileNotFoundError:
        return ImageMap()
    except OSError as error:
        raise ImageMapError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImageMapError(f"{file}: not UTF-8: {error.reason} at byte {error.start}") from error
