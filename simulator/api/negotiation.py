"""What form of answer a client accepts. Pure.

Source: apiserver `endpoints/handlers/negotiation`.
"""

from __future__ import annotations

from typing import Literal

from simulator.errors import NotAcceptable

Form = Literal["json", "meta.k8s.io/v1", "meta.k8s.io/v1beta1"]  # plain JSON, or a Table's version

_OFFERS_MAX = 32


def form_of(accept: str) -> Form:
    """Return the first form in the Accept header that is served. Raise NotAcceptable."""
    if not accept.strip():
        return "json"
    for offer in accept.split(",")[:_OFFERS_MAX]:
        media_type, *parameters = (part.strip() for part in offer.split(";"))
        if media_type.lower() not in ("application/json", "application/*", "*/*"):
            continue
        named = dict(parameter.partition("=")[::2] for parameter in parameters)
        if named.get("q") in ("0", "0.0"):
            continue
        wanted = named.get("as", "")
        if not wanted:
            return "json"
        if wanted == "Table" and named.get("g") == "meta.k8s.io":
            if named.get("v") == "v1":
                return "meta.k8s.io/v1"
            if named.get("v") == "v1beta1":
                return "meta.k8s.io/v1beta1"
    raise NotAcceptable("only the following media types are accepted: application/json")
