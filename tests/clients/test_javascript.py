"""The JavaScript client @kubernetes/client-node plays the canary story, watches and informs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.clients import Client
from tests.support.installed import program
from tests.support.instance import Instance

VARIABLE = "KNARY_NODE_MODULES"
STORY = Path(__file__).parent / "javascript" / "story.mjs"


@pytest.mark.timeout(120)
@pytest.mark.skipif(
    VARIABLE not in os.environ or program("node") is None,
    reason=f"{VARIABLE} does not name a node_modules with @kubernetes/client-node",
)
def test_the_canary_story_with_client_node(knary: Instance, tmp_path: Path) -> None:
    node = Client(program("node") or "", knary.paths.kubeconfig, tmp_path / "home", "default")
    host, port = knary.gateway
    modules = {VARIABLE: os.environ[VARIABLE]}
    told = node.run(str(STORY), "javascript", f"http://{host}:{port}", **modules).out
    assert told.count("ok: ") == 8
