"""Who may ask. Pure decisions, for the API's port and the console's alike.

A page in the user's browser can reach a loopback port, also under a name that its owner points
there (DNS rebinding). So the Host must be ours before anything else is looked at, whatever the
method; what comes from another site is refused; and all but health asks for the bearer token.
A parse failure means "refuse".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from simulator.errors import ApiError, BadRequest, Forbidden, Unauthorized

HEALTH_PATHS = frozenset({"/healthz", "/readyz", "/livez"})
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITES = frozenset({"same-origin", "none"})
_authority = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)


@dataclass(frozen=True)
class Policy:
    """What one port demands. `hosts` are lower case without a port, an IPv6 one in brackets."""

    scheme: str  # http or https: the scheme of our own origin
    hosts: frozenset[str]
    token: str
    open_paths: frozenset[str] = HEALTH_PATHS


@dataclass(frozen=True)
class Asked:
    """The facts of a request that access depends on. `authority` is an absolute target's."""

    method: str
    path: str
    is_stream: bool  # a watch or an upgrade: open to a page without a preflight, so guarded
    hosts: Sequence[str]
    authority: str | None
    authorizations: Sequence[str]
    origins: Sequence[str]
    sites: Sequence[str]  # values of Sec-Fetch-Site


def allowed_hosts(listen_hosts: Collection[str]) -> frozenset[str]:
    """Return the Host names of this machine's loopback and of the addresses listened on."""
    bracketed = {f"[{host}]" if ":" in host else host for host in listen_hosts}
    return LOCAL_HOSTS | {host.lower() for host in bracketed}


def refusal(asked: Asked, policy: Policy) -> ApiError | None:
    """Return why the request is not answered, or None."""
    return (
        _wrong_host(asked, policy)
        or _other_site(asked, policy)
        or (None if asked.path in policy.open_paths else _wrong_token(asked, policy))
    )


def _wrong_host(asked: Asked, policy: Policy) -> ApiError | None:
    if len(asked.hosts) != 1:
        return BadRequest("the request must have exactly one Host header")
    named = [asked.hosts[0]] + ([asked.authority] if asked.authority is not None else [])
    for name in named:
        match = _authority.fullmatch(name.lower())
        if match is None:
            return BadRequest("the request's Host is malformed")
        if match["host"] not in policy.hosts:
            return Forbidden("this port answers to local names only: the request's Host is not one")
    return None


def _other_site(asked: Asked, policy: Policy) -> ApiError | None:
    refused = Forbidden("requests from another site are refused")
    own = f"{policy.scheme}://{asked.hosts[0].lower()}"
    if any(origin.lower() != own for origin in asked.origins):
        return refused
    if asked.method in _SAFE_METHODS and not asked.is_stream:
        return None
    return refused if any(site not in _OWN_SITES for site in asked.sites) else None


def _wrong_token(asked: Asked, policy: Policy) -> ApiError | None:
    refused = Unauthorized("Unauthorized")
    if len(asked.authorizations) != 1:
        return refused
    scheme, _, given = asked.authorizations[0].partition(" ")
    if scheme.lower() != "bearer" or not policy.token:
        return refused
    # As bytes: compare_digest refuses text beyond ASCII, which a header may hold.
    right = hmac.compare_digest(
        given.strip().encode("utf-8", "surrogateescape"), policy.token.encode()
    )
    return None if right else refused
