"""What an operator may set about the controllers; stock values of knative/serving 1.23."""

from __future__ import annotations

from msgspec import Struct

from simulator.traffic.domains import Domains


class Retention(Struct, frozen=True):
    """`config-gc`: which revisions that get no traffic are kept."""

    retain_since_create_s: float = 48 * 3600.0
    retain_since_last_active_s: float = 15 * 3600.0
    min_non_active_revisions: int = 20
    max_non_active_revisions: int = 1000
    look_again_s: float = 3600.0


class ControllerSettings(Struct, frozen=True):
    """`progress_deadline_s` is `config-deployment`'s; a revision's annotation goes before it.

    `replicas_max` bounds one revision's processes whatever its min-scale says.
    `unmarked_retry_s`: until a revision that a Route means and no mark says so is looked at again.
    """

    domains: Domains = Domains()
    progress_deadline_s: float = 600.0
    image_retry_s: float = 10.0
    unmarked_retry_s: float = 1.0
    replicas_max: int = 100
    retention: Retention = Retention()
    events_kept_s: float = 3600.0


STOCK = ControllerSettings()
