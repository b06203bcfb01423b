"""Who has which host, who else wants it, and which hosts lead to which others."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.resources.meta import Key
from simulator.traffic.rows import HostMapping


class HostRegister:
    """A host belongs to the Ingress that had it first; who was refused it is remembered."""

    def __init__(self) -> None:
        self._owners: dict[str, Key] = {}
        self._contenders: dict[str, set[Key]] = {}

    def owner(self, host: str) -> Key | None:
        """Return the Ingress that has the host now."""
        return self._owners.get(host)

    def contested(self, key: Key, hosts: Iterable[str]) -> str | None:
        """Return a host that is another Ingress's; remember who wants it."""
        for host in hosts:
            if self._owners.get(host, key) != key:
                self._contenders.setdefault(host, set()).add(key)
                return host
        return None

    def replace(self, key: Key, before: frozenset[str], after: frozenset[str]) -> tuple[Key, ...]:
        """Give the Ingress these hosts for those; return who was refused one that is free now."""
        heirs: dict[Key, None] = {}
        for host in before - after:
            del self._owners[host]
            heirs.update(dict.fromkeys(self._contenders.pop(host, ())))
        for host in after:
            self._owners[host] = key
        return tuple(heirs)


class MappingRegister:
    """Hosts for the outside that lead to a host inside, whoever has that one."""

    def __init__(self) -> None:
        self._by_target: dict[str, dict[Key, tuple[str, ...]]] = {}

    def replace(
        self, key: Key, before: tuple[HostMapping, ...], after: tuple[HostMapping, ...]
    ) -> frozenset[str]:
        """Give the Ingress these mappings for those; return the targets whose hosts changed."""
        if before == after:
            return frozenset()
        for one in before:
            mapped = self._by_target[one.target]
            mapped.pop(key, None)
            if not mapped:
                del self._by_target[one.target]
        for one in after:
            mapped = self._by_target.setdefault(one.target, {})
            mapped[key] = mapped.get(key, ()) + one.hosts
        return frozenset(one.target for one in (*before, *after))

    def leading_to(self, targets: Iterable[str]) -> tuple[str, ...]:
        """Return the hosts that lead to one of these, in a fixed order."""
        return tuple(
            sorted(
                host
                for target in targets
                for hosts in self._by_target.get(target, {}).values()
                for host in hosts
            )
        )
