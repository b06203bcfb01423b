"""The way out that goes with a refusal, as one more line for a person. Pure.

Refusals keep the words of Knative, Kubernetes and kn, so that what is learnt here is found there;
those words say what is wrong and seldom what to do.
"""

from __future__ import annotations

from simulator.access.errors import ApiRefused, NotReady
from simulator.errors import KnaryError


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
    if isinstance(error, NotReady):
        return "Traffic stays where it was until this is mended, say by `knary service update`"
    return str(getattr(error, "way_out", ""))
