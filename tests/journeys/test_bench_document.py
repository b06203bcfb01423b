"""docs/bench.md's commands, run as they stand: two loads, compared and gated."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.instance import HELLO, Instance

DOCUMENT = Path(__file__).parents[2] / "docs" / "bench.md"


def test_the_commands_of_the_document_do_what_it_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line[:6] == "knary "]
    assert len(commands) >= 6
    with Instance("--workers", "1") as knary:
        knary.run("service", "create", "helloworld-go", "--image", HELLO)
        printed = ""
        for command in commands:
            words = [
                str(tmp_path / word) if word.endswith((".json", ".html")) else word
                for word in shlex.split(command)[1:]
            ]
            if words[0] == "load":
                words += ["--duration", "1s"]
            gated = "--fail-on" in words
            done = knary.run(*words, check=not gated)
            assert not gated or done.status in (0, 1)  # two seconds of a busy machine may differ
            printed += done.out + done.err
    assert "VERDICT" in printed
    assert "kept    error_rate<1%: 0%" in printed
    assert re.search(r"kept    rps>50%: \d+", printed)
