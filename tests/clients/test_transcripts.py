"""What kubectl and kn print, told in transcripts; each has a namespace of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import transcripts
from tests.support.clients import Client
from tests.support.instance import Instance

pytestmark = pytest.mark.timeout(120)

TRANSCRIPTS = Path(__file__).parent / "transcripts"
FILES = Path(__file__).parent / "files"
NAMESPACE = "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"


@pytest.mark.parametrize("name", sorted(path.stem for path in TRANSCRIPTS.glob("*.txt")))
def test_what_is_printed(
    name: str, knary: Instance, client: Callable[[str, str], Client], tmp_path: Path
) -> None:
    path = TRANSCRIPTS / f"{name}.txt"
    words = {transcripts.client_of(step.command) for step in transcripts.read(path)}
    clients = {word: client(word, name) for word in sorted(words)}
    knary.run("apply", "-f", "-", stdin=NAMESPACE.format(name=name))
    files = tmp_path / "files"
    shutil.copytree(FILES, files)
    (files / "exported").mkdir()
    transcripts.play(path, clients, files)
