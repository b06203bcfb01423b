"""The one way in: default, then validate, then store what comes back."""

from __future__ import annotations

from msgspec import Struct

from simulator.admission.core_defaulting import with_core_defaults
from simulator.admission.core_validation import bad_base64, validate_core
from simulator.admission.defaulting import with_defaults
from simulator.admission.fielderrors import merged, refusals, render, warnings
from simulator.admission.metadata_validation import validate_generic_metadata
from simulator.admission.settings import STOCK, Defaults
from simulator.admission.validation import validate
from simulator.config.current import check, is_config
from simulator.config.parsing import ConfigError
from simulator.errors import BadRequest, Invalid, with_warnings
from simulator.resources.core import ConfigMap
from simulator.resources.decoding import cannot_be_handled
from simulator.resources.meta import Resource
from simulator.resources.scheme import info_of

__all__ = ["Admitted", "Defaults", "admit"]

WEBHOOK = "validation.webhook.serving.knative.dev"
CONFIG_WEBHOOK = "config.webhook.serving.knative.dev"


class Admitted(Struct, frozen=True):
    """What may be stored, and what to tell the client beside (HTTP `Warning: 299` headers)."""

    object: Resource
    warnings: tuple[str, ...] = ()


def admit(new: Resource, old: Resource | None, user: str, defaults: Defaults = STOCK) -> Admitted:
    """Return the object as it may be stored: with defaults, creator and last modifier filled in.

    `old` is the stored object of an update, None for a new one; `user` is who asks. Raise Invalid
    for what any API server refuses in metadata, BadRequest with every complaint of Knative.
    """
    info = info_of(new)
    defaulted = with_core_defaults(with_defaults(new, old, user, defaults))
    if why := bad_base64(new):
        raise BadRequest(cannot_be_handled(info.kind, info.version, why))
    # An API server's own validation comes between the mutating webhook and the validating one.
    if causes := (*validate_generic_metadata(defaulted), *validate_core(defaulted, old)):
        raise Invalid.of(info.group, info.kind, new.metadata.name, causes)
    if isinstance(defaulted, ConfigMap) and is_config(defaulted):
        try:
            check(defaulted)
        except ConfigError as error:
            raise _denied(CONFIG_WEBHOOK, str(error)) from error
    errors = validate(defaulted, old, defaults)
    warned = tuple(error.text() for error in merged(warnings(errors)))
    if refused := refusals(errors):
        with with_warnings(warned):
            raise _denied(WEBHOOK, render(refused))
    return Admitted(defaulted, warned)


def _denied(webhook: str, why: str) -> BadRequest:
    return BadRequest(f'admission webhook "{webhook}" denied the request: validation failed: {why}')
