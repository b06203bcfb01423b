"""The way out that goes with a refusal, as one more line for a person. Pure.

Refusals keep the words of Knative, Kubernetes and kn, so that what is learnt here is found there;
those words say what is wrong and seldom what to do.
"""

from __future__ import annotations

import re
from typing import Final

from simulator.access.errors import ApiRefused, NotReady, WaitTimedOut
from simulator.errors import KnaryError

# What programs say, in several languages' words, that do not reach what they need.
_NOT_REACHED: Final = re.compile(
    "connection ?refused|network is unreachable|enetunreach|name resolution"
    "|name or service not known|getaddrinfo|no such host|unknownhost",
    re.IGNORECASE,
)


def way_out(error: KnaryError) -> str:
    """Return the line to show below an error, "" when the error says it all."""
    # Also in what `knary apply` makes of it, with the file's name before it.
    if "without a name change" in str(error):
        return (
            "The template names its revision: give the new one another name, with --revision-name"
            " or spec.template.metadata.name"
        )
    if isinstance(error, ApiRefused) and error.reason == "NotFound":
        details = error.status.get("details") or {}
        return f"See `knary get {details['kind']} -A`" if details.get("kind") else ""
    if isinstance(error, NotReady) and _NOT_REACHED.search(str(error)):
        return (
            "Does it need a database, or the internet? In a network of its own a replica has"
            " neither: say `reach` or `network: host` in images.yaml (docs/networks.md)"
        )
    if isinstance(error, NotReady):
        return "Traffic stays where it was until this is mended, say by `knary service update`"
    if isinstance(error, WaitTimedOut) and "not ready" in str(error):
        return (
            "Does its program listen on 127.0.0.1:$PORT, and answer what is probed?"
            " See `knary logs` and `knary get pods`"
        )
    return str(getattr(error, "way_out", ""))
