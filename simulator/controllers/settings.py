"""What an operator may set about the controllers; stock values of knative/serving 1.23."""

from __future__ import annotations

from msgspec import Struct

from simulator.traffic.domains import Domains


class ControllerSettings(Struct, frozen=True):
    """What no ConfigMap says. `replicas_max` bounds one revision's processes whatever is asked for.

    `unmarked_retry_s`: until a revision that a Route means and no mark says so is looked at again.
    """

    domains: Domains = Domains()
    progress_deadline_s: float = 600.0
    image_retry_s: float = 10.0
    unmarked_retry_s: float = 1.0
    replicas_max: int = 100
    events_kept_s: float = 3600.0
    news_s: float = 60.0  # what happened to a Pod longer ago is not told any more


STOCK = ControllerSettings()
