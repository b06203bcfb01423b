"""kn's traffic flags: from `--traffic`, `--tag` and `--untag` to `spec.traffic`. Pure.

The rules and words are those of knative/client `pkg/traffic/compute.go`, so that a command line
learnt here does the same there. One thing is done as kn means it and not as it does it: a tag in
`--traffic` counts as its revision when the rest is given to the one revision left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.errors import KnaryError

LATEST = "@latest"

Target = dict[str, Any]


class TrafficError(KnaryError):
    """The flags do not say where the traffic goes; nothing was sent."""


class SharesError(TrafficError):
    """The shares of `--traffic` do not make 100 percent of revisions that are known."""

    way_out = (
        "Give shares that sum to 100: --traffic REVISION=PERCENT,REVISION=PERCENT;"
        " see `knary revision list`"
    )


@dataclass(frozen=True)
class TrafficFlags:
    """What was given, commas already split: "REF=PERCENT", "REF=TAG", "TAG"."""

    traffic: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    untags: tuple[str, ...] = ()

    @property
    def are_given(self) -> bool:
        return bool(self.traffic or self.tags or self.untags)


@dataclass(frozen=True)
class Situation:
    """What the flags are applied to.

    `spec` and `status` are the service's traffic lists; `revisions` the names of its revisions;
    `makes_revision` tells whether the same command changes the template.
    """

    service: str
    spec: Sequence[Mapping[str, Any]]
    status: Sequence[Mapping[str, Any]] = ()
    revisions: frozenset[str] = frozenset()
    latest_ready: str = ""
    makes_revision: bool = False


def split_flag(values: Sequence[str]) -> tuple[str, ...]:
    """Return the comma-separated parts of a flag given any number of times."""
    return tuple(part for value in values for part in value.split(","))


def compute_traffic(flags: TrafficFlags, situation: Situation) -> list[Target]:
    """Return the new `spec.traffic`. Raise TrafficError in kn's words."""
    shares = _checked_shares(flags, situation)
    targets: list[Target] = [dict(target) for target in situation.spec]
    _untag(targets, flags.untags, situation.service)
    for flag in flags.tags:
        reference, tag = _reference_and_value(flag)
        if reference == LATEST:
            _tag_latest(targets, tag)
        else:
            _tag_revision(targets, tag, reference)
    if flags.traffic:
        _set_shares(targets, shares)
    return [target for target in targets if target.get("tag") or target.get("percent")]


def _checked_shares(flags: TrafficFlags, situation: Situation) -> dict[str, int]:
    """Return the percent of each reference, the rest given to the one revision left out."""
    _check_tags(flags.tags)
    shares = _parse_shares(flags.traffic)
    total = sum(shares.values())
    if total > 100:
        raise SharesError(f"given traffic percents sum to {total}, want <=100")
    if total == 100 or not shares:
        return shares
    if left_out := _left_out(shares, situation):
        return {**shares, left_out: 100 - total}
    raise _cannot_allocate(total, "cannot determine the missing revision")


def _left_out(shares: Mapping[str, int], situation: Situation) -> str | None:
    """Return the one reference that gets the rest; raise TrafficError when it is not one."""
    total = sum(shares.values())
    # A command that makes a revision adds one to those that are there.
    expected = len(situation.status) if situation.makes_revision else len(situation.status) - 1
    if len(shares) != expected:
        raise _cannot_allocate(
            total, "incorrect number of revisions specified. Only 1 revision should be missing"
        )
    if situation.makes_revision and LATEST not in shares:
        return LATEST
    named = set(shares)
    if LATEST in shares and not situation.makes_revision:
        named.add(situation.latest_ready)
    named |= {target["revisionName"] for target in situation.status if target.get("tag") in shares}
    for target in situation.status:
        name: str = target.get("revisionName", "")
        if name not in situation.revisions:
            return None
        if name not in named:
            return name
    return None


def _check_tags(tags: Sequence[str]) -> None:
    latest = [flag for flag in tags if _reference_and_value(flag)[0] == LATEST]
    if len(latest) > 1:
        raise _repetition("--tag", LATEST)


def _parse_shares(flags: Sequence[str]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for flag in flags:
        reference, text = _reference_and_value(flag)
        if reference in shares:
            raise _repetition("--traffic", reference)
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise SharesError(
                f"error converting given {text} to integer value for traffic distribution"
            )
        percent = int(text)
        if not 0 <= percent <= 100:
            raise SharesError(
                f"invalid value for traffic percent {percent}, expected 0 <= percent <= 100"
            )
        shares[reference] = percent
    return shares


def _reference_and_value(flag: str) -> tuple[str, str]:
    """Return both sides of "REF=VALUE"; a value alone is the latest revision's."""
    parts = flag.split("=")
    if len(parts) == 1:
        return LATEST, parts[0]
    if len(parts) != 2 or not parts[0] or not parts[1]:
        raise TrafficError(f"expecting the value format in value1=value2, given {flag}")
    return parts[0], parts[1].removesuffix("%")


def _untag(targets: list[Target], tags: Sequence[str], service: str) -> None:
    missing = []
    for tag in tags:
        target = _with_tag(targets, tag)
        if target is None:
            missing.append(tag)
        else:
            del target["tag"]
    if missing:
        names = ", ".join(missing)
        raise TrafficError(f"tag(s) {names} not present for any revisions of service {service}")


def _tag_latest(targets: list[Target], tag: str) -> None:
    latest = _latest(targets)
    present = latest.get("tag", "") if latest else ""
    if present == tag:
        return
    if _with_tag(targets, tag):
        raise _tag_taken(tag)
    if present:
        raise TrafficError(
            f"tag '{present}' exists on latest ready revision of service, refusing to overwrite"
            f" existing tag with '{tag}', add flag '--untag {present}' in command to untag it"
        )
    if latest is None:
        targets.append({"tag": tag, "latestRevision": True, "percent": 0})
    else:
        latest["tag"] = tag


def _tag_revision(targets: list[Target], tag: str, revision: str) -> None:
    if any((t.get("tag"), t.get("revisionName")) == (tag, revision) for t in targets):
        return
    if _with_tag(targets, tag):
        raise _tag_taken(tag)
    target = _of_revision(targets, revision)
    if target is None or target.get("tag"):
        # A second tag of a revision is a target of its own.
        targets.append({**_revision_target(revision), "tag": tag})
    else:
        target["tag"] = tag


def _set_shares(targets: list[Target], shares: Mapping[str, int]) -> None:
    """Give each reference its percent and every other target 0."""
    for target in targets:
        target["percent"] = 0
    for reference, percent in shares.items():
        if found := _referred(targets, reference):
            found["percent"] = percent
        elif reference == LATEST:
            targets.append({"latestRevision": True, "percent": percent})
        else:
            targets.append({**_revision_target(reference), "percent": percent})


def _referred(targets: list[Target], reference: str) -> Target | None:
    if reference == LATEST:
        return _latest(targets)
    # A tag wins over a revision of the same name: tags are unique.
    return _with_tag(targets, reference) or _of_revision(targets, reference)


def _revision_target(revision: str) -> Target:
    return {"revisionName": revision, "latestRevision": False, "percent": 0}


def _latest(targets: list[Target]) -> Target | None:
    return next((target for target in targets if target.get("latestRevision")), None)


def _with_tag(targets: list[Target], tag: str) -> Target | None:
    return next((target for target in targets if target.get("tag") == tag), None)


def _of_revision(targets: list[Target], revision: str) -> Target | None:
    return next((target for target in targets if target.get("revisionName") == revision), None)


def _cannot_allocate(total: int, why: str) -> SharesError:
    return SharesError(f"unable to allocate the remaining traffic: {100 - total}%. Reason: {why}")


def _repetition(flag: str, name: str) -> TrafficError:
    what = f"identifier {LATEST}" if name == LATEST else f"revision reference {name}"
    return TrafficError(f"repetition of {what} is not allowed, use only once with {flag} flag")


def _tag_taken(tag: str) -> TrafficError:
    return TrafficError(
        "refusing to overwrite existing tag in service,"
        f" add flag '--untag {tag}' in command to untag it"
    )
