"""The line below a refusal: what to do."""

from __future__ import annotations

import pytest

from simulator.access.errors import ApiRefused, NotReady, WaitTimedOut
from simulator.cli.exits import CommandFailed
from simulator.cli.hints import way_out
from simulator.errors import KnaryError

NAME_KEPT = "validation failed: Saw the following changes without a name change (-old +new): x"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(
            ApiRefused(404, {"reason": "NotFound", "details": {"name": "a", "kind": "services"}}),
            "See `knary get services -A`",
            id="an object that is not there",
        ),
        pytest.param(
            ApiRefused(404, {"reason": "NotFound"}), "", id="a path of the API that is not there"
        ),
        pytest.param(
            ApiRefused(400, {"reason": "BadRequest", "message": NAME_KEPT}),
            "The template names its revision: give the new one another name, with --revision-name"
            " or spec.template.metadata.name",
            id="a revision's name kept",
        ),
        pytest.param(
            CommandFailed(f"service.yaml:1: {NAME_KEPT}"),
            "The template names its revision: give the new one another name, with --revision-name"
            " or spec.template.metadata.name",
            id="the same from a file",
        ),
        pytest.param(
            NotReady("RevisionMissing", 'Revision "x" referenced in traffic not found.'),
            "Traffic stays where it was until this is mended, say by `knary service update`",
            id="a service that is not ready",
        ),
        *(
            pytest.param(
                NotReady("RevisionFailed", f"Container failed with: {words}."),
                "Does it need a database, or the internet? In a network of its own a replica has"
                " neither: say `reach` or `network: host` in images.yaml (docs/networks.md)",
                id=words,
            )
            for words in (
                "ConnectionRefusedError: [Errno 111] Connection refused",
                "dial tcp: lookup db.example.com: no such host",
                "getaddrinfo EAI_AGAIN db.example.com",
                "java.net.UnknownHostException: db",
                "OSError: [Errno 101] Network is unreachable",
            )
        ),
        pytest.param(
            WaitTimedOut("timeout: service 'x' not ready after 8 seconds"),
            "Does its program listen on 127.0.0.1:$PORT, and answer what is probed?"
            " See `knary logs` and `knary get pods`",
            id="a program that nothing is heard of",
        ),
        pytest.param(
            WaitTimedOut("timeout: service 'x' not deleted after 8 seconds"), "", id="late deletion"
        ),
        pytest.param(KnaryError("what; way out"), "", id="an error that says it all"),
    ],
)
def test_a_refusal_comes_with_the_way_out(error: KnaryError, told: str) -> None:
    assert way_out(error) == told
