"""Who may ask: each line is a way in that stays shut, or one that is open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.api.access import Asked, Policy, allowed_hosts, refusal
from simulator.api.guard import split_target
from simulator.errors import BadRequest

POLICY = Policy("https", allowed_hosts(["127.0.0.1", "fd00::1"]), "secret-token")
FINE: dict[str, Any] = {
    "method": "GET",
    "path": "/api/v1/pods",
    "is_stream": False,
    "hosts": ["localhost:6443"],
    "authority": None,
    "authorizations": ["Bearer secret-token"],
    "origins": [],
    "sites": [],
}
WRITES = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", *WRITES)


def code(**facts: Any) -> int | None:
    """Return the code of the refusal, None when the request is answered."""
    refused = refusal(Asked(**(FINE | facts)), POLICY)
    return None if refused is None else refused.code


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({}, id="as it should be"),
        pytest.param({"hosts": ["127.0.0.1:6443"]}, id="by address"),
        pytest.param({"hosts": ["[::1]:1"]}, id="by IPv6 address"),
        pytest.param({"hosts": ["[fd00::1]:6443"]}, id="by the address listened on"),
        pytest.param({"hosts": ["LocalHost"]}, id="in capitals, without a port"),
        pytest.param({"authorizations": ["bearer  secret-token "]}, id="scheme in any case"),
        pytest.param({"authority": "127.0.0.1:6443"}, id="absolute target of ours"),
        pytest.param({"path": "/healthz", "authorizations": []}, id="health without a token"),
        pytest.param({"origins": ["https://localhost:6443"]}, id="our own origin"),
        pytest.param({"method": "PUT", "sites": ["same-origin"]}, id="our own page writes"),
        pytest.param({"method": "PUT", "sites": ["none"]}, id="typed by the user"),
        pytest.param({"sites": ["cross-site"]}, id="a link from elsewhere is followed"),
    ],
)
def test_these_are_answered(facts: dict[str, Any]) -> None:
    assert code(**facts) is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"hosts": ["evil.example"]}, 403, id="rebound name"),
        pytest.param({"hosts": ["localhost.evil.example"]}, 403, id="ours as a prefix"),
        pytest.param({"hosts": ["evil-localhost"]}, 403, id="ours as a suffix"),
        pytest.param({"hosts": ["127.0.0.2"]}, 403, id="another loopback address"),
        pytest.param({"hosts": ["localhost."]}, 403, id="trailing dot"),
        pytest.param({"hosts": []}, 400, id="no Host"),
        pytest.param({"hosts": ["localhost", "evil.example"]}, 400, id="two Hosts"),
        pytest.param({"hosts": [""]}, 400, id="empty"),
        pytest.param({"hosts": ["localhost:6443:1"]}, 400, id="two ports"),
        pytest.param({"hosts": ["localhost:port"]}, 400, id="port of letters"),
        pytest.param({"hosts": ["user@localhost"]}, 400, id="user in front"),
        pytest.param({"hosts": ["localhost/evil"]}, 400, id="path in it"),
        pytest.param({"hosts": ["localhost\n"]}, 400, id="newline"),
        pytest.param({"hosts": ["[::1"]}, 400, id="open bracket"),
        pytest.param({"hosts": ["\udcff["]}, 400, id="no characters"),
        pytest.param({"authority": "evil.example"}, 403, id="absolute target elsewhere"),
        pytest.param({"authority": "["}, 400, id="malformed absolute target"),
        pytest.param({"authorizations": []}, 401, id="no token"),
        pytest.param({"authorizations": ["Bearer"]}, 401, id="empty token"),
        pytest.param({"authorizations": ["Bearer secret-toke"]}, 401, id="shorter token"),
        pytest.param({"authorizations": ["Bearer secret-token2"]}, 401, id="longer token"),
        pytest.param({"authorizations": ["Basic secret-token"]}, 401, id="another scheme"),
        pytest.param({"authorizations": ["Bearer \udcff"]}, 401, id="token of no characters"),
        pytest.param({"authorizations": ["Bearer secret-token"] * 2}, 401, id="two tokens"),
        pytest.param({"origins": ["null"]}, 403, id="origin null"),
        pytest.param({"origins": ["https://evil.example"]}, 403, id="foreign origin"),
        pytest.param({"origins": ["http://localhost:6443"]}, 403, id="ours in another scheme"),
        pytest.param({"origins": ["https://localhost:8090"]}, 403, id="another port of ours"),
        pytest.param({"origins": [""]}, 403, id="empty origin"),
        pytest.param({"path": "/healthz/../api", "authorizations": []}, 401, id="near health"),
        pytest.param({"path": "/HEALTHZ", "authorizations": []}, 401, id="health in capitals"),
    ],
)
def test_these_are_refused_whatever_the_method(
    method: str, facts: dict[str, Any], expected: int
) -> None:
    assert code(method=method, **facts) == expected


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "other"])
@pytest.mark.parametrize("method", WRITES)
def test_another_site_may_not_write(method: str, site: str) -> None:
    assert code(method=method, sites=[site]) == 403
    assert code(method=method, sites=["same-origin", site]) == 403


def test_another_site_may_not_watch_or_upgrade() -> None:
    assert code(is_stream=True, sites=["cross-site"]) == 403


def test_a_wrong_host_is_refused_before_health_and_token() -> None:
    assert code(path="/healthz", hosts=["evil.example"]) == 403


def test_without_a_token_of_its_own_a_port_is_shut() -> None:
    policy = Policy("https", POLICY.hosts, "")
    refused = refusal(Asked(**(FINE | {"authorizations": ["Bearer "]})), policy)
    assert refused is not None
    assert refused.code == 401


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_that_is_sent_makes_the_check_itself_fail(
    host: str, token: str, origin: str, site: str
) -> None:
    code(hosts=[host], authorizations=[token], origins=[origin], sites=[site], method="POST")
    code(authority=host)
    assert code(authorizations=[f"Bearer {token}x"]) == 401
    assert code(origins=[origin]) in (None, 403)


@given(st.text())
def test_a_target_splits_or_is_refused(raw: str) -> None:
    try:
        _, path, _ = split_target(raw)
    except BadRequest:
        return
    assert path.startswith("/")
