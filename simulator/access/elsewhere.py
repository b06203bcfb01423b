"""A cluster in the place of an instance: where its API and its gateway are.

`knary run --context` plays scenarios there, and tells their commands by the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_KUBECONFIG = "KNARY_ELSEWHERE_KUBECONFIG"
_CONTEXT = "KNARY_ELSEWHERE_CONTEXT"
_GATEWAY = "KNARY_ELSEWHERE_GATEWAY"


@dataclass(frozen=True)
class Elsewhere:
    """A context of a kubeconfig ("" is the current one), and the base URL of the gateway."""

    kubeconfig: Path
    context: str
    gateway: str

    def environment(self) -> dict[str, str]:
        """Return what `told` reads."""
        return {
            _KUBECONFIG: str(self.kubeconfig),
            _CONTEXT: self.context,
            _GATEWAY: self.gateway,
        }


def told(environment: Mapping[str, str]) -> Elsewhere | None:
    """Return where a command is to go, None for an instance of knary."""
    kubeconfig = environment.get(_KUBECONFIG)
    if not kubeconfig:
        return None
    context, gateway = (environment.get(name, "") for name in (_CONTEXT, _GATEWAY))
    return Elsewhere(Path(kubeconfig), context, gateway)
