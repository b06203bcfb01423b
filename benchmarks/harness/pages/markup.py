"""Elements of HTML and SVG: what is no element is escaped, so that no text becomes one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffe\\uffff]")
VOID = frozenset({"meta", "circle", "line", "rect", "path", "polyline"})


class Element(str):
    """Markup that was written here; any other text is a text."""

    __slots__ = ()


def element(name: str, attributes: Mapping[str, object] | None = None, *content: str) -> Element:
    """Return an element. Attributes that are None are left out."""
    told = "".join(
        f' {key}="{_text(str(value))}"'
        for key, value in (attributes or {}).items()
        if value is not None
    )
    if name in VOID:
        return Element(f"<{name}{told}/>")
    return Element(f"<{name}{told}>{together(*content)}</{name}>")


def together(*content: str) -> Element:
    """Return one after the other; control characters of texts, which XML has not, are left out."""
    return Element("".join(each if isinstance(each, Element) else _text(each) for each in content))


def _text(text: str) -> str:
    return escape(_CONTROL.sub("", text))
