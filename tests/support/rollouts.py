"""States of gradual rollouts, in few words."""

from __future__ import annotations

from simulator.traffic.rollout import ConfigurationRollout, RevisionRollout, Rollout, StepParams


def moving(
    name: str, shares: dict[str, int] | list[tuple[str, int]], tag: str = "", **pace: int
) -> ConfigurationRollout:
    """Return a Configuration's state; its percent is the sum of its revisions'."""
    pairs = list(shares.items()) if isinstance(shares, dict) else shares
    return ConfigurationRollout(
        configuration_name=name,
        tag=tag,
        percent=sum(percent for _, percent in pairs),
        revisions=tuple(RevisionRollout(*pair) for pair in pairs),
        step_params=StepParams(**pace),
    )


def rollout(*configurations: ConfigurationRollout) -> Rollout:
    return Rollout(configurations)
