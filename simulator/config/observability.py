"""`config-observability`: where a revision's logs are to be found; all else is checked alone.

knary has metrics and an access log of its own (docs/metrics.md, docs/access-log.md).
Sources: knative/serving `pkg/observability/config.go`; knative/pkg `observability`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from simulator.config.parsing import (
    ConfigError,
    boolean_of,
    duration_of,
    float_of,
    text_of,
)
from simulator.resources.durations import SECOND, format_duration
from simulator.resources.wording import quoted

_NONE = "none"
_EXPORTING = ("grpc", "http/protobuf")
_REQUEST_LOG, _REQUEST_TEMPLATE = "logging.enable-request-log", "logging.request-log-template"
_REVISION_UID = "${REVISION_UID}"


class ObservabilityConfig(Struct, frozen=True):
    """`revision_url_template` is "" when revisions have no log URL."""

    revision_url_template: str = ""

    def log_url(self, revision_uid: str) -> str:
        """Return where the logs of a revision are, or ""."""
        return self.revision_url_template.replace(_REVISION_UID, revision_uid)


def read_observability(data: Mapping[str, str]) -> ObservabilityConfig:
    """Return what the map says. Raise ConfigError."""
    _check_tracing(data)
    _check_metrics(data, "")
    _check_runtime(data)
    _check_metrics(data, "request-")
    for key in ("logging.enable-var-log-collection", "logging.enable-probe-request-log"):
        boolean_of(data, key, default=False)
    is_logged = boolean_of(data, _REQUEST_LOG, default=False)
    template = text_of(data, _REQUEST_TEMPLATE, "stock")
    if is_logged and not template:
        raise ConfigError(
            f"{quoted(_REQUEST_LOG)} was set to true,"
            f" but no {quoted(_REQUEST_TEMPLATE)} was specified"
        )
    if template.count("{{") != template.count("}}"):
        raise ConfigError("template: requestLog:1: unclosed action")
    return ObservabilityConfig(text_of(data, "logging.revision-url-template", ""))


def _check_tracing(data: Mapping[str, str]) -> None:
    protocol = text_of(data, "tracing-protocol", _NONE)
    endpoint = text_of(data, "tracing-endpoint", "")
    rate = float_of(data, "tracing-sampling-rate", 0.0)
    if protocol in _EXPORTING:
        if not endpoint:
            raise ConfigError(f"endpoint should be set for protocol {quoted(protocol)}")
    elif protocol not in (_NONE, "stdout"):
        raise ConfigError(f"unsupported protocol {quoted(protocol)}")
    elif endpoint:
        raise ConfigError("endpoint should not be set when protocol is 'none'")
    if rate < 0:
        raise ConfigError(f"sampling rate {rate:f} should be greater or equal to zero")
    if rate > 1:
        raise ConfigError(f"sampling rate {rate:f} should be less than or equal to one")


def _check_metrics(data: Mapping[str, str], prefix: str) -> None:
    protocol = text_of(data, f"{prefix}metrics-protocol", _NONE)
    endpoint = text_of(data, f"{prefix}metrics-endpoint", "")
    interval_ns = duration_of(data, f"{prefix}metrics-export-interval", 0)
    if protocol in _EXPORTING:
        if not endpoint:
            raise ConfigError(f"endpoint should be set when protocol is {quoted(protocol)}")
    elif protocol == _NONE:
        if endpoint:
            raise ConfigError(f"endpoint should not be set when protocol is {quoted(protocol)}")
    elif protocol != "prometheus":
        raise ConfigError(f"unsupported protocol {quoted(protocol)}")
    _refuse_negative(interval_ns)


def _check_runtime(data: Mapping[str, str]) -> None:
    profiling = text_of(data, "runtime-profiling", "disabled")
    interval_ns = duration_of(data, "runtime-export-interval", 15 * SECOND)
    if profiling not in ("enabled", "disabled"):
        raise ConfigError(f"unsupported profile setting {quoted(profiling)}")
    _refuse_negative(interval_ns)


def _refuse_negative(interval_ns: int) -> None:
    if interval_ns < 0:
        shown = quoted(format_duration(interval_ns))
        raise ConfigError(f"export interval {shown} should be greater than zero")
