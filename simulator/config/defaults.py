"""`config-defaults`: what Knative fills in, and the most that it accepts.

Source: knative/serving `pkg/apis/config/defaults.go`; stock values of 1.23.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from simulator.config.parsing import (
    ConfigError,
    boolean_of,
    integer_of,
    quantity_of,
    text_of,
)

_INT32_MAX = 2**31 - 1


class DefaultsConfig(Struct, frozen=True):
    """Names are the map's keys; times in seconds."""

    revision_timeout_seconds: int = 300
    max_revision_timeout_seconds: int = 600
    revision_response_start_timeout_seconds: int = 300
    revision_idle_timeout_seconds: int = 0
    container_name_template: str = "user-container"
    init_container_name_template: str = "init-container"
    container_concurrency: int = 0
    container_concurrency_max_limit: int = 1000
    allow_container_concurrency_zero: bool = True
    enable_service_links: bool | None = False
    revision_requests: dict[str, str] = {}
    revision_limits: dict[str, str] = {}


def read_defaults(data: Mapping[str, str]) -> DefaultsConfig:
    """Return what the map says. Raise ConfigError."""
    stock = DefaultsConfig()

    def integer(key: str, default: int) -> int:
        return integer_of(data, key, default)

    timeout_s = integer("revision-timeout-seconds", stock.revision_timeout_seconds)
    found = DefaultsConfig(
        revision_timeout_seconds=timeout_s,
        max_revision_timeout_seconds=integer(
            "max-revision-timeout-seconds", stock.max_revision_timeout_seconds
        ),
        revision_response_start_timeout_seconds=integer(
            "revision-response-start-timeout-seconds", timeout_s
        ),
        revision_idle_timeout_seconds=integer(
            "revision-idle-timeout-seconds", stock.revision_idle_timeout_seconds
        ),
        container_name_template=text_of(
            data, "container-name-template", stock.container_name_template
        ),
        init_container_name_template=text_of(
            data, "init-container-name-template", stock.init_container_name_template
        ),
        container_concurrency=integer("container-concurrency", stock.container_concurrency),
        container_concurrency_max_limit=integer(
            "container-concurrency-max-limit", stock.container_concurrency_max_limit
        ),
        allow_container_concurrency_zero=boolean_of(
            data,
            "allow-container-concurrency-zero",
            default=stock.allow_container_concurrency_zero,
        ),
        enable_service_links=_tristate(data.get("enable-service-links", "false")),
        revision_requests=_resources(data, "request"),
        revision_limits=_resources(data, "limit"),
    )
    _check(found)
    return found


def _check(found: DefaultsConfig) -> None:
    timeout_s = found.revision_timeout_seconds
    _refuse_more(
        ("revision-timeout-seconds", timeout_s),
        ("max-revision-timeout-seconds", found.max_revision_timeout_seconds),
    )
    start_s, idle_s = (
        found.revision_response_start_timeout_seconds,
        found.revision_idle_timeout_seconds,
    )
    bound = ("revision-timeout-seconds", timeout_s)
    _refuse_more(("revision-response-start-timeout-seconds", start_s), bound)
    _refuse_more(("revision-idle-timeout-seconds", idle_s), bound)
    limit, concurrency = found.container_concurrency_max_limit, found.container_concurrency
    if limit < 1:
        raise ConfigError(f"expected 1 <= {limit} <= {_INT32_MAX}: container-concurrency-max-limit")
    if not 0 <= concurrency <= limit:
        raise ConfigError(f"expected 0 <= {concurrency} <= {limit}: container-concurrency")


def _refuse_more(less: tuple[str, int], more: tuple[str, int]) -> None:
    if less[1] > 0 and less[1] > more[1]:
        raise ConfigError(f"{less[0]} ({less[1]}) cannot be greater than {more[0]} ({more[1]})")


def _tristate(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _resources(data: Mapping[str, str], bound: str) -> dict[str, str]:
    names = {name: f"revision-{name}-{bound}" for name in ("cpu", "memory", "ephemeral-storage")}
    found = {name: quantity_of(data, key) for name, key in names.items()}
    return {name: amount for name, amount in found.items() if amount is not None}
