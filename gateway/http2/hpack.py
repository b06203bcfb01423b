"""Header blocks to fields and lines to header blocks (RFC 7541), bounded by decoded size. Pure.

What repeats is looked up by its raw bytes: a whole block, as long as the peer's table stays as it
is, and each literal. The encoder has no table, so its pieces never change.
"""

from __future__ import annotations

from typing import Final

from gateway.http2.errors import ConnectionFailure, ErrorCode, HeadersTooLarge
from gateway.http2.fields import (
    CONTENT_TYPE,
    FIELD_OVERHEAD_BYTES,
    LAST_PSEUDO,
    LINE_OVERHEAD_BYTES,
    MALFORMED,
    Field,
    FieldReader,
    Special,
)
from gateway.http2.frames import DEFAULT_TABLE_BYTES
from gateway.http2.huffman import BadHuffman, Huffman
from gateway.http2.statictable import STATIC, STATIC_ENTRIES, STATIC_FIELDS, STATIC_NAMES

KNOWN_FIELDS_MAX: Final = 4096
KNOWN_FIELD_BYTES_MAX: Final = 256
KNOWN_NAMES_MAX: Final = 1024
KNOWN_NAME_BYTES_MAX: Final = 64
KNOWN_BLOCKS_MAX: Final = 1024
OWN_BLOCKS_MAX: Final = 16  # of one connection
KNOWN_BLOCK_BYTES_MAX: Final = 512

# A peer that allows a smaller table than the usual wants to hear that it is so (RFC 7541 4.2).
NO_TABLE: Final = b"\x20"  # the start of a connection's first block
_SPACE: Final = 0x20
_VALUE_BYTES: Final = bytes(byte for byte in range(256) if byte == 9 or 32 <= byte != 127)
_INTEGER_BYTES_MAX: Final = 4  # after the prefix: more than any size that could be served
# Never to be put into a table by anyone on the way (RFC 7541 7.1.3).
_SECRET: Final = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"})
_LATE: Final[Special] = (MALFORMED, b"", b"a pseudo-header field after a regular one")

Fields = tuple[list[bytes], list[Special]]  # plain lines, and the rest in its order


class KnownFields:
    """What was read before, of one direction, for all connections: it holds for each of them."""

    __slots__ = ("_plain_names", "_read", "blocks", "fields", "huffman", "static")

    def __init__(self, read: FieldReader) -> None:
        self._read = read
        self._plain_names: set[bytes] = set()  # of fields that mean nothing to us
        self.huffman = Huffman()
        self.static: list[Field] = [(MALFORMED, b"", b"")]  # indexes count from 1
        self.static += [read(name, value) for name, value in STATIC]
        self.fields: dict[bytes, Field] = {}  # by a literal's raw bytes
        self.blocks: dict[bytes, Fields] = {}  # those that no table has a part in

    def read(self, name: bytes, value: bytes) -> Field:
        """Return what a field means; of a known name only the value is checked."""
        if name in self._plain_names and _is_value(value):
            return b"%b: %b\r\n" % (name, value)
        field = self._read(name, value)
        is_short = len(name) <= KNOWN_NAME_BYTES_MAX
        if field.__class__ is bytes and is_short and name != CONTENT_TYPE:
            if len(self._plain_names) >= KNOWN_NAMES_MAX:
                self._plain_names.clear()
            self._plain_names.add(name)
        return field

    def keep_field(self, raw: bytes, field: Field) -> None:
        if len(self.fields) >= KNOWN_FIELDS_MAX:
            self.fields.clear()
        self.fields[raw] = field

    def keep_block(self, block: bytes, fields: Fields) -> None:
        if len(self.blocks) >= KNOWN_BLOCKS_MAX:
            self.blocks.clear()
        self.blocks[block] = fields


class Decoder:
    """Reads one connection's header blocks, in their order. Every error is the connection's end."""

    __slots__ = (
        "_blocks",
        "_bytes",
        "_changed",
        "_known",
        "_list_bytes_max",
        "_referred",
        "_table",
        "_table_bytes",
        "limit",
    )

    def __init__(self, known: KnownFields, list_bytes_max: int) -> None:
        self._known = known
        self._list_bytes_max = list_bytes_max
        self._table: list[tuple[bytes, bytes, Field]] = []  # the newest last
        self._bytes = 0
        self._table_bytes = DEFAULT_TABLE_BYTES  # what the peer's encoder chose
        self._blocks: dict[bytes, Fields] = {}  # what they mean while the table is as it is
        self._changed = False  # the block under way changed the table
        self._referred = False  # its meaning hangs on the table
        self.limit = DEFAULT_TABLE_BYTES  # what it may choose; ours counts once it is acknowledged

    def decode(self, block: bytes) -> Fields:
        """Return a block's fields. Raise ConnectionFailure, or HeadersTooLarge when all is read.

        The lists belong to all who read the same block: change a copy.
        """
        known = self._known.blocks.get(block) or self._blocks.get(block)
        if known is not None:
            return known
        self._changed = self._referred = False
        try:
            fields = self._decode(block)
        except IndexError:
            raise _failure("a truncated header block") from None
        finally:
            if self._changed:
                self._blocks.clear()
        if len(block) <= KNOWN_BLOCK_BYTES_MAX and not self._changed:
            if not self._referred:
                self._known.keep_block(block, fields)
            elif len(self._blocks) < OWN_BLOCKS_MAX:
                self._blocks[block] = fields
        return fields

    def _decode(self, block: bytes) -> Fields:
        plain: list[bytes] = []
        special: list[Special] = []
        known, static = self._known.fields, self._known.static
        size, at, end = 0, 0, len(block)
        if end and block[0] & 0xE0 == 0x20:
            at = self._read_table_sizes(block)
        while at < end:
            byte = block[at]
            if 0x80 < byte <= 0x80 + STATIC_ENTRIES:
                field = static[byte & 0x7F]
                at += 1
            elif byte >= 0x80:
                index, at = _integer(block, at, 0x7F)
                field = self._entry(index)[2]
            elif byte & 0xE0 == 0x20:
                raise _late_table_size()
            elif byte >= 0x40:
                field, at = self._literal(block, at)
            else:
                stop = _short_literal(block, at)
                found = known.get(block[at:stop])
                if found is None:
                    field, at = self._literal(block, at)
                else:
                    field = found
                    at = stop
            if field.__class__ is bytes:
                size += len(field) + LINE_OVERHEAD_BYTES
                plain.append(field)
            else:
                kind, name, value = field
                size += len(name) + len(value) + FIELD_OVERHEAD_BYTES  # type: ignore[arg-type]
                if kind <= LAST_PSEUDO and plain:
                    field = _LATE
                special.append(field)  # type: ignore[arg-type]
            if size > self._list_bytes_max:
                self._skip(block, at)
                raise HeadersTooLarge
        return plain, special

    def _skip(self, block: bytes, at: int) -> None:
        """Read the rest of a list that is too long: for the table's sake alone, and so fast."""
        end, known = len(block), STATIC_ENTRIES + len(self._table)
        while at < end:
            byte = block[at]
            if byte >= 0x80:
                index = byte & 0x7F
                if index == 0x7F:
                    index, at = _integer(block, at, 0x7F)
                else:
                    at += 1
                if not 0 < index <= known:
                    raise _no_such_index()
            elif byte & 0xC0 == 0x40:
                _, at = self._literal(block, at)
                known = STATIC_ENTRIES + len(self._table)
            elif byte & 0xE0 == 0x20:
                raise _late_table_size()
            else:
                index, at = _integer(block, at, 0x0F)
                if index > known:
                    raise _no_such_index()
                for _ in range(1 if index else 2):
                    length, at = _integer(block, at, 0x7F)
                    at += length
        if at > end:
            raise _failure("a truncated string")

    def _literal(self, block: bytes, start: int) -> tuple[Field, int]:
        """Read a literal field (RFC 7541 6.2), put it into the table if the peer says so."""
        indexed = block[start] >= 0x40
        index, at = _integer(block, start, 0x3F if indexed else 0x0F)
        if index:
            name = self._entry(index)[0]
        else:
            name, at = self._string(block, at)
        value, at = self._string(block, at)
        field = self._known.read(name, value)
        if indexed:
            self._insert(name, value, field)
        elif index <= STATIC_ENTRIES and at - start <= KNOWN_FIELD_BYTES_MAX:
            self._known.keep_field(block[start:at], field)
        return field, at

    def _string(self, block: bytes, at: int) -> tuple[bytes, int]:
        is_huffman = block[at] >= 0x80
        length, at = _integer(block, at, 0x7F)
        raw = block[at : at + length]
        if len(raw) < length:
            raise _failure("a truncated string")
        if is_huffman:
            try:
                return self._known.huffman.decode(raw), at + length
            except BadHuffman as error:
                raise _failure(str(error)) from error
        return raw, at + length

    # The dynamic table (RFC 7541 2.3.2 and 4).

    def _entry(self, index: int) -> tuple[bytes, bytes, Field]:
        if 0 < index <= STATIC_ENTRIES:
            name, value = STATIC[index - 1]
            return name, value, self._known.static[index]
        place = index - STATIC_ENTRIES
        if not 0 < place <= len(self._table):
            raise _no_such_index()
        self._referred = True
        return self._table[-place]

    def _insert(self, name: bytes, value: bytes, field: Field) -> None:
        size = len(name) + len(value) + FIELD_OVERHEAD_BYTES
        self._changed = True
        self._evict(self._table_bytes - size)
        if size <= self._table_bytes:
            self._table.append((name, value, field))
            self._bytes += size

    def _evict(self, bytes_max: int) -> None:
        gone = 0
        while self._bytes > bytes_max and gone < len(self._table):
            name, value, _ = self._table[gone]
            self._bytes -= len(name) + len(value) + FIELD_OVERHEAD_BYTES
            gone += 1
        del self._table[:gone]

    def _read_table_sizes(self, block: bytes) -> int:
        """Obey the size updates at a block's start; return where its fields begin."""
        at = 0
        while at < len(block) and block[at] & 0xE0 == 0x20:
            size, at = _integer(block, at, 0x1F)
            if size > self.limit:
                raise _failure("a table larger than allowed")
            self._table_bytes = size
            self._changed = True
            self._evict(size)
        return at


def _is_value(value: bytes) -> bool:
    """Tell whether it is a field value beyond doubt: no control byte, no space at its ends."""
    return bool(
        value
        and value[0] > _SPACE
        and value[-1] > _SPACE
        and not value.translate(None, _VALUE_BYTES)
    )


def _failure(detail: str) -> ConnectionFailure:
    return ConnectionFailure(ErrorCode.COMPRESSION_ERROR, detail)


def _no_such_index() -> ConnectionFailure:
    return _failure("an index that no table has")


def _late_table_size() -> ConnectionFailure:
    return _failure("a table size update after a field")


def _integer(block: bytes, at: int, mask: int) -> tuple[int, int]:
    """Return an integer and where it ends (RFC 7541 5.1). Raise IndexError when it is cut off."""
    value = block[at] & mask
    at += 1
    if value < mask:
        return value, at
    for shift in range(0, 7 * _INTEGER_BYTES_MAX, 7):
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _failure("an integer that is too long")


def _short_literal(block: bytes, at: int) -> int:
    """Return where a literal ends if its integers are as short as they mostly are; else anything.

    A literal says itself where it ends, so raw bytes that were one before are one again. Raise
    IndexError when the block ends before.
    """
    mask = 0x3F if block[at] >= 0x40 else 0x0F
    index = block[at] & mask
    at += 1
    if not index:
        at += 1 + (block[at] & 0x7F)
    elif index == mask:
        at += 1
    length = block[at] & 0x7F
    if length == 0x7F:
        length += 1 + block[at + 1]
    return at + 1 + length


class Encoder:
    """Writes header blocks with the static table alone; remembers what each line becomes."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def encode(self, lines: list[bytes]) -> bytes:
        """Return the piece of a header block that says these lines, each "name: value" CRLF."""
        known = self._known
        pieces = [known.get(line) or self._learn(line) for line in lines]
        return b"".join(pieces)

    def encode_text(self, lines: bytes) -> bytes:
        """Return the piece for several lines in one; they are remembered together."""
        return self._known.get(lines) or self._learn(lines)

    def _learn(self, lines: bytes) -> bytes:
        piece = encode_lines(lines)
        if len(lines) <= 2 * KNOWN_FIELD_BYTES_MAX:
            if len(self._known) >= KNOWN_FIELDS_MAX:
                self._known.clear()
            self._known[lines] = piece
        return piece


def encode_lines(lines: bytes) -> bytes:
    """Return the piece for lines that hardly come again: nothing remembers it."""
    return b"".join(
        encode_field(name.lower(), value)
        for name, _, value in (line.partition(b": ") for line in lines.split(b"\r\n")[:-1])
    )


def encode_field(name: bytes, value: bytes) -> bytes:
    """Return a field: indexed when the static table has it, else a literal without indexing."""
    whole = STATIC_FIELDS.get((name, value))
    if whole is not None:
        return bytes((0x80 | whole,))
    start = _STARTS.get(name)
    if start is None:
        start = b"\x10" if name in _SECRET else b"\x00"
        start += encode_integer(len(name), 0x7F) + name
    length = len(value)
    if length < 0x7F:
        return b"%b%c%b" % (start, length, value)
    return b"%b%b%b" % (start, encode_integer(length, 0x7F), value)


def encode_integer(value: int, mask: int, flags: int = 0) -> bytes:
    """Return an integer after a prefix of `mask`'s bits (RFC 7541 5.1)."""
    if value < mask:
        return bytes((flags | value,))
    written = [flags | mask]
    value -= mask
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


# How a literal begins that has its name from the static table.
_STARTS: Final = {
    name: encode_integer(place, 0x0F, 0x10 if name in _SECRET else 0x00)
    for name, place in STATIC_NAMES.items()
}
