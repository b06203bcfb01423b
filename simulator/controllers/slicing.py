"""From the endpoints that there should be to the writes that make EndpointSlices of them.

Source: kubernetes `staging/src/k8s.io/endpointslice/reconciler.go`: an endpoint stays in its slice,
slices are filled before new ones are made, and one that would go becomes one that is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from simulator.reconciling.plan import Action, Create, Delete, Update
from simulator.resources.endpointslices import IPV4, IPV6, Endpoint, EndpointSlice, SlicePort
from simulator.resources.meta import ObjectMeta, Resource, controller_reference

ENDPOINTS_PER_SLICE_MAX = 100  # --max-endpoints-per-slice of kube-controller-manager
_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, no word by accident
_SUFFIX_CHARACTERS = 5

Group = tuple[str, tuple[SlicePort, ...]]  # an address type, and the ports
Contents = tuple[Group, tuple[Endpoint, ...]]


def group_of(ip: str, ports: Iterable[SlicePort]) -> Group:
    """Return which endpoints may be in one slice with this one."""
    return (IPV6 if ":" in ip else IPV4, tuple(ports))


def writes(
    owner: Resource,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    wanted: Mapping[Group, Sequence[Endpoint]],
    found: Sequence[EndpointSlice],
) -> tuple[Action, ...]:
    """Return what makes of the owner's slices that were found those that hold what is wanted."""
    kept: list[tuple[EndpointSlice, Contents]] = []
    new: list[Contents] = []
    for group in sorted(wanted, key=repr):
        same = [one for one in found if (one.address_type, one.ports) == group]
        in_place, added = _shared_out(wanted[group], same)
        kept += [(one, (group, endpoints)) for one, endpoints in in_place]
        new += [(group, endpoints) for endpoints in added]
    stay = {one.metadata.name for one, _ in kept}
    left_over = [one for one in found if one.metadata.name not in stay]
    while new and left_over:
        # The type of its addresses is for good (discovery validation).
        fit = next((one for one in left_over if one.address_type == new[0][0][0]), None)
        if fit is None:
            break
        left_over.remove(fit)
        kept.append((fit, new.pop(0)))
    actions: list[Action] = []
    for one, ((_, ports), endpoints) in kept:
        meta = replace(one.metadata, labels=dict(labels), annotations=dict(annotations))
        desired = replace(one, metadata=meta, ports=ports, endpoints=endpoints)
        if desired != one:
            actions.append(Update(desired))
    taken = {one.metadata.name for one in found}
    for (address_type, ports), endpoints in new:
        meta = _new_meta(owner, labels, annotations, taken)
        taken.add(meta.name)
        made = EndpointSlice(meta, address_type=address_type, ports=ports, endpoints=endpoints)
        actions.append(Create(made))
    return (*actions, *(Delete(one) for one in left_over))


def _shared_out(
    wanted: Sequence[Endpoint], found: Sequence[EndpointSlice]
) -> tuple[list[tuple[EndpointSlice, tuple[Endpoint, ...]]], list[tuple[Endpoint, ...]]]:
    """Return the endpoints of each slice that stays, and of each that is to be made."""
    if not wanted:  # the one without endpoints that says so
        return ([(found[0], ())], []) if found else ([], [()])
    by_name = {_name_of(endpoint): endpoint for endpoint in wanted}
    places = [[_name_of(old) for old in one.endpoints if _name_of(old) in by_name] for one in found]
    placed = {name for place in places for name in place}
    waiting = [name for name in by_name if name not in placed]
    shared: list[tuple[EndpointSlice, tuple[Endpoint, ...]]] = []
    for one, place in zip(found, places, strict=True):
        room = ENDPOINTS_PER_SLICE_MAX - len(place)
        names = [*place, *waiting[:room]]
        waiting = waiting[room:]
        if names:
            shared.append((one, tuple(by_name[name] for name in names)))
    parts = range(0, len(waiting), ENDPOINTS_PER_SLICE_MAX)
    new = [waiting[start : start + ENDPOINTS_PER_SLICE_MAX] for start in parts]
    return shared, [tuple(by_name[name] for name in names) for names in new]


def _name_of(endpoint: Endpoint) -> tuple[tuple[str, ...], str]:
    """Return what tells an endpoint from others: its addresses, and whose they are."""
    return endpoint.addresses, endpoint.target_ref.uid if endpoint.target_ref else ""


def _new_meta(
    owner: Resource,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    taken: Iterable[str],
) -> ObjectMeta:
    """Return a new slice's metadata: a name as one of `generateName`, that follows from the owner.

    So a repeated plan clashes with what the first one made.
    """
    prefix = f"{owner.metadata.name}-"
    number = 0
    while (name := prefix + _suffix(f"{owner.KIND}/{owner.uid}/{number}")) in taken:
        number += 1
    return ObjectMeta(
        name=name,
        generate_name=prefix,
        namespace=owner.metadata.namespace,
        labels=dict(labels),
        annotations=dict(annotations),
        owner_references=(controller_reference(owner),),
    )


def _suffix(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:_SUFFIX_CHARACTERS])
