"""HPACK's Huffman code (RFC 7541 5.2 and appendix B), read strictly. Pure.

The code is canonical, so the lengths of its symbols are all that needs to be known: symbols of one
length follow each other in order. Decoding takes a byte at a time from a table of states; a state
is the bits read of an unfinished symbol, after a leading 1.
"""

from __future__ import annotations

from typing import Final

EOS: Final = 256

# Bits, and the symbols that have so many.
_SYMBOLS: Final[dict[int, bytes]] = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: b"\\\xc3\xd0",
    20: b"\x80\x82\x83\xa2\xb8\xc2\xe0\xe2",
    21: b"\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6",
    22: b"\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe"
    b"\xc4\xc6\xe4\xe8\xe9",
    23: b"\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf"
    b"\xb4\xb6\xb7\xbc\xbf\xc5\xe7\xef",
    24: b"\x09\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed",
    25: b"\xc7\xcf\xea\xeb",
    26: b"\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff",
    27: b"\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe",
    28: b"\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a"
    b"\x1b\x1c\x1d\x1e\x1f\x7f\xdc\xf9",
    30: b"\x0a\x0d\x16",
}

_REFUSED: Final = 0  # the state after EOS: it may not be written (RFC 7541 5.2)
# Padding is the start of EOS, all ones, and shorter than a byte.
_ENDS: Final = frozenset((1 << bits + 1) - 1 for bits in range(8))


class BadHuffman(Exception):
    """Bits that no Huffman encoder may write."""


def _codes() -> dict[int, int]:
    """Return each code after its leading 1, and its symbol."""
    codes: dict[int, int] = {}
    code = 0
    before = 0
    for bits, symbols in _SYMBOLS.items():
        code <<= bits - before
        before = bits
        for symbol in symbols:
            codes[1 << bits | code] = symbol
            code += 1
    codes[1 << before | code] = EOS  # the last of 30 bits
    return codes


_CODES: Final = _codes()


class Huffman:
    """A decoder. It makes a state's row of the table when the state is first reached (256 rows)."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[int, bytes]]] = {}

    def decode(self, data: bytes) -> bytes:
        """Return the decoded bytes. Raise BadHuffman."""
        rows = self._rows
        state = 1
        pieces: list[bytes] = []
        for byte in data:
            row = rows.get(state)
            if row is None:
                row = rows[state] = _row(state)
            state, piece = row[byte]
            pieces.append(piece)
            if state == _REFUSED:
                raise BadHuffman("EOS in a string")
        if state not in _ENDS:
            raise BadHuffman("padding that is not the start of EOS")
        return b"".join(pieces)


def _row(state: int) -> list[tuple[int, bytes]]:
    return [_step(state, byte) for byte in range(256)]


def _step(state: int, byte: int) -> tuple[int, bytes]:
    """Return the state after this byte, and the symbols that it ends."""
    ended = b""
    for place in range(7, -1, -1):
        state = state << 1 | (byte >> place & 1)
        symbol = _CODES.get(state)
        if symbol == EOS:
            return _REFUSED, b""
        if symbol is not None:
            ended += bytes((symbol,))
            state = 1
    return state, ended
