"""A request's query string, read by Kubernetes' rules. Pure."""

from __future__ import annotations

from typing import Self
from urllib.parse import parse_qsl

from msgspec import Struct

from simulator.errors import BadRequest

PARAMETERS_MAX = 200
_DIGITS_MAX = 19


class Query(Struct, frozen=True):
    """The parameters as they came; of one given twice the first counts."""

    values: dict[str, str] = {}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Decode a query string. Raise BadRequest."""
        try:
            pairs = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX
            )
        except ValueError as error:
            raise BadRequest(f"the query is malformed: {error}") from error
        return cls(dict(reversed(pairs)))

    def text(self, name: str) -> str:
        """Return the parameter, "" when it is absent."""
        return self.values.get(name, "")

    def boolean(self, name: str) -> bool:
        """Return True for anything given but "0" and "false", in any case.

        Source: apimachinery `runtime/conversion.go`, Convert_Slice_string_To_bool.
        """
        value = self.values.get(name)
        return value is not None and value.lower() not in ("0", "false")

    def integer(self, name: str) -> int | None:
        """Return a whole number, None when absent or empty. Raise BadRequest."""
        value = self.text(name)
        if not value:
            return None
        digits = value[1:] if value[:1] == "-" else value
        if not (digits.isascii() and digits.isdigit()) or len(digits) > _DIGITS_MAX:
            raise BadRequest(f'invalid {name} "{value[:40]}": it must be a whole number')
        return int(value)

    def version(self, name: str = "resourceVersion") -> int | None:
        """Return a resourceVersion, None when absent or empty. Raise BadRequest."""
        value = self.text(name)
        if not value:
            return None
        if not (value.isascii() and value.isdigit()) or len(value) > _DIGITS_MAX:
            raise BadRequest(f'invalid {name} "{value[:40]}": it must be an unsigned integer')
        return int(value)
