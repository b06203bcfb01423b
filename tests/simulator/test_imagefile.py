"""The image map on disk."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from simulator.imagefile import ImageFile
from simulator.images import ImageMapError, Program


def write(file: Path, text: str, at: int) -> None:
    """Write the file as if at that second: two writes in a test share a clock tick."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (at, at))


def test_without_files_the_built_in_rules_are_in_force(tmp_path: Path) -> None:
    images = ImageFile(tmp_path / "images.yaml")
    assert images.current().resolve("x/helloworld-go") is not None
    assert ImageFile(None).current() == images.current()


def test_the_map_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "images.yaml"
    images = ImageFile(file)
    assert images.current().resolve("a/b") is None
    write(file, "- {image: a/b, command: [one]}", 1000)
    assert images.current().resolve("a/b") == Program(command=("one",))
    write(file, "- {image: a/b, command: [two]}", 2000)
    assert images.current().resolve("a/b") == Program(command=("two",))
    file.unlink()
    assert images.current().resolve("a/b") is None


def test_the_file_of_the_command_line_stands_first(tmp_path: Path) -> None:
    own, extra = tmp_path / "images.yaml", tmp_path / "extra.yaml"
    write(own, "- {image: a, command: [own]}\n- {image: b, command: [own]}", 1)
    write(extra, "- {image: a, command: [extra]}", 1)
    images = ImageFile(own, extra).current()
    assert images.resolve("a") == Program(command=("extra",))
    assert images.resolve("b") == Program(command=("own",))
    assert images.resolve("helloworld-go") is not None


def test_a_broken_file_is_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "images.yaml"
    write(file, "- {image: a}", 1)
    with pytest.raises(ImageMapError, match=r"images\.yaml: entry 1 \(a\): want exactly one"):
        ImageFile(file)
    with pytest.raises(ImageMapError, match="no such file"):
        ImageFile(None, tmp_path / "absent.yaml")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ImageMapError, match="not UTF-8"):
        ImageFile(file)


def test_a_file_that_breaks_later_is_logged_once_and_the_last_good_rules_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "images.yaml"
    write(file, "- {image: a, command: [good]}", 1)
    images = ImageFile(file)
    write(file, "- {image: a", 2)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert images.current().resolve("a") == Program(command=("good",))
    assert len(caplog.records) == 1
    assert "images.yaml: not YAML" in caplog.text
    broken = images.current()
    assert broken.flaw.startswith(f"{file}: not YAML")
    assert broken.why_missing("image b") == (
        "no program is mapped to image b; see knary images"
        f" ({broken.flaw}; the rules read before stay in force)"
    )
    write(file, "- {image: a, command: [better]}", 3)
    assert images.current().resolve("a") == Program(command=("better",))
    assert images.current().flaw == ""
