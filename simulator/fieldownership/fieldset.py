"""Sets of fields, as trees: the algebra that ownership is calculated in. Values, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from msgspec import Struct

from simulator.fieldownership.elements import Element, Path, order, parse

_SELF = "."


class FieldSet(Struct, frozen=True):
    """`members` are in the set; `children` lead to members further down, and none is empty.

    That something below a field is in the set does not put the field itself in.
    """

    members: frozenset[Element] = frozenset()
    children: dict[Element, FieldSet] = {}

    @classmethod
    def of(cls, paths: Iterable[Path]) -> FieldSet:
        """Return the set of these paths; the empty path is nobody's."""
        members: set[Element] = set()
        below: dict[Element, list[Path]] = {}
        for path in paths:
            if len(path) == 1:
                members.add(path[0])
            elif path:
                below.setdefault(path[0], []).append(path[1:])
        return cls(
            frozenset(members), {element: FieldSet.of(rest) for element, rest in below.items()}
        )

    def __bool__(self) -> bool:
        return bool(self.members or self.children)

    def __or__(self, other: FieldSet) -> FieldSet:
        children = {**self.children, **other.children}
        for element in self.children.keys() & other.children.keys():
            children[element] = self.children[element] | other.children[element]
        return FieldSet(self.members | other.members, children)

    def __and__(self, other: FieldSet) -> FieldSet:
        shared = self.children.keys() & other.children.keys()
        both = {element: self.children[element] & other.children[element] for element in shared}
        return FieldSet(self.members & other.members, _without_empty(both))

    def __sub__(self, other: FieldSet) -> FieldSet:
        """Return what is here and not there; what lies below a member of the other one stays."""
        left = {
            element: below - other.children[element] if element in other.children else below
            for element, below in self.children.items()
        }
        return FieldSet(self.members - other.members, _without_empty(left))

    def without(self, other: FieldSet) -> FieldSet:
        """Return what is here and not there, nor below a member of the other one."""
        left = {
            element: below.without(other.below(element))
            for element, below in self.children.items()
            if element not in other.members
        }
        return FieldSet(self.members - other.members, _without_empty(left))

    def only(self, element: Element) -> FieldSet:
        """Return the part at or below this first step."""
        members = self.members & {element}
        child = self.children.get(element)
        return FieldSet(members, {} if child is None else {element: child})

    def below(self, element: Element) -> FieldSet:
        """Return what lies below the element, without it."""
        return self.children.get(element, EMPTY)

    def has(self, path: Path) -> bool:
        """Tell whether this very field is a member."""
        node = self
        for element in path[:-1]:
            node = node.below(element)
        return bool(path) and path[-1] in node.members

    def paths(self, before: Path = ()) -> Iterator[Path]:
        """Yield every member's path: those of one level first, in order, then what is below."""
        for element in sorted(self.members, key=order):
            yield (*before, element)
        for element in sorted(self.children, key=order):
            yield from self.children[element].paths((*before, element))

    def to_fields_v1(self) -> dict[str, Any]:
        """Return the set as `fieldsV1` holds it: `.` says that the field itself is a member."""
        written: dict[str, Any] = {}
        for element in sorted(self.members | self.children.keys(), key=order):
            below = self.children.get(element)
            inner: dict[str, Any] = {} if below is None else below.to_fields_v1()
            if below is not None and element in self.members:
                inner = {_SELF: {}, **inner}
            written[element] = inner
        return written

    @classmethod
    def from_fields_v1(cls, document: Any) -> Self:
        """Return the set that a client's `fieldsV1` describes. Raise ValueError."""
        if not isinstance(document, dict):
            raise ValueError("fieldsV1 must be an object")  # noqa: TRY004
        members: set[Element] = set()
        children: dict[Element, FieldSet] = {}
        for text, inner in document.items():
            if text == _SELF:
                continue  # its holder has seen it
            element = parse(text)
            if below := cls.from_fields_v1(inner):
                children[element] = below
            if not inner or _SELF in inner:
                members.add(element)
        return cls(frozenset(members), children)


EMPTY = FieldSet()


def _without_empty(children: dict[Element, FieldSet]) -> dict[Element, FieldSet]:
    return {element: below for element, below in children.items() if below}
