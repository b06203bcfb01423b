"""The part of Go's text/template that names of hosts are made of: fields, and keys of maps.

`{{.Name}}` and `{{index .Labels "team"}}`, with blanks and trim markers; nothing else of Go's
language, which is refused with a way out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.config.parsing import ConfigError
from simulator.resources.wording import quoted

_action = re.compile(r"(\s*\{\{-\s|\{\{)(.*?)(\s-\}\}\s*|\}\})", re.DOTALL)
_field = re.compile(r"\s*\.(\w+)\s*", re.ASCII)
_key = re.compile(r'\s*index\s+\.(\w+)\s+"([^"\\{}]*)"\s*', re.ASCII)

Values = Mapping[str, str | Mapping[str, str]]


def render(template: str, values: Values) -> str:
    """Return the template with the values in place; a missing key is "". Raise ConfigError."""
    rendered, end = [], 0
    for found in _action.finditer(template):
        rendered += [template[end : found.start()], _value(found[2], values)]
        end = found.end()
    rest = template[end:]
    if "{{" in rest:
        raise ConfigError(f"unclosed action in the template {quoted(template)}")
    return "".join((*rendered, rest))


def _value(action: str, values: Values) -> str:
    if field := _field.fullmatch(action):
        value = values.get(field[1])
        if isinstance(value, str):
            return value
    elif key := _key.fullmatch(action):
        table = values.get(key[1])
        if isinstance(table, Mapping):
            return table.get(key[2], "")
    texts = [f"{{{{.{name}}}}}" for name, value in values.items() if isinstance(value, str)]
    maps = [
        f'{{{{index .{name} "KEY"}}}}'
        for name, value in values.items()
        if not isinstance(value, str)
    ]
    known = ", ".join(texts + maps)
    raise ConfigError(f"a template with {{{{{action}}}}} cannot be used here; it may have {known}")
