"""Files of routes with a gap, for what is wrong to be put into it."""

from __future__ import annotations

import pytest

from simulator.standalone.reading import RoutesError, parse_routes

HOSTS = "routes:\n- hosts: {}\n  split: [{{name: a, to: [b:1]}}]\n"
SPLIT = "routes:\n- hosts: [a.test]\n  split: {}\n"
TARGET = "routes:\n- hosts: [a.test]\n  split:\n  - name: a\n    to: [b:1]\n    {}\n"
TO = "routes:\n- hosts: [a.test]\n  split: [{{name: a, to: {}}}]\n"
RULES = "routes:\n- hosts: [a.test]\n  split: [{{name: a, to: [b:1]}}]\n  rules: [{}]\n"
TOP = "{}\nroutes: [{{hosts: [a.test], split: [{{name: a, to: [b:1]}}]}}]\n"
TWO = "[{{name: a, to: [b:1]{}}}, {{name: b, to: [b:2]{}}}]"


def refusal(text: str) -> str:
    """Return why the text is no file of routes, f.yaml by name."""
    with pytest.raises(RoutesError) as raised:
        parse_routes(text, "f.yaml")
    return str(raised.value)
