"""HPACK against RFC 7541's own examples and another's implementation, in any pieces and order."""

from __future__ import annotations

import tracemalloc

import hpack
import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given
from hypothesis import strategies as st

from gateway.http1.response import ResponseHead
from gateway.http2.errors import ConnectionFailure, HeadersTooLarge
from gateway.http2.fields import Field, read_request_field
from gateway.http2.heads import response_block
from gateway.http2.hpack import Decoder, Encoder, KnownFields, encode_field
from gateway.http2.huffman import BadHuffman, Huffman

HUFFMAN, WRITER = Huffman(), HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
NAMES = st.sampled_from([b"a", b"x-test", b"cookie", b":path", b"accept", b"n" * 200])
VALUES = st.sampled_from([b"", b"v", b"/", b"gzip, deflate", b"w" * 300]) | st.binary(max_size=40)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=12)


def as_told(name: bytes, value: bytes) -> Field:
    return 0, name, value


def decoder(list_bytes_max: int = 1 << 16) -> Decoder:
    return Decoder(KnownFields(as_told), list_bytes_max)


def decoded(reader: Decoder, block: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, value) for _, name, value in reader.decode(block)[1]]


def pairs(*lines: str) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode(), value.encode()) for name, value in (each.split("=", 1) for each in lines)
    ]


C3 = [
    ("828684410f7777772e6578616d706c652e636f6d", []),
    ("828684be58086e6f2d6361636865", ["cache-control=no-cache"]),
]
C4 = [
    ("828684418cf1e3c2e5f23a6ba0ab90f4ff", []),
    ("828684be5886a8eb10649cbf", ["cache-control=no-cache"]),
]


@pytest.mark.parametrize("blocks", [C3, C4], ids=["C.3 without Huffman", "C.4 with Huffman"])
def test_the_rfcs_requests_are_read(blocks: list[tuple[str, list[str]]]) -> None:
    reader = decoder()
    for block, more in blocks:
        assert decoded(reader, bytes.fromhex(block)) == pairs(
            ":method=GET", ":scheme=http", ":path=/", ":authority=www.example.com", *more
        )
    third = "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565"
    if blocks is C4:
        third = "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"
    assert decoded(reader, bytes.fromhex(third)) == pairs(
        ":method=GET",
        ":scheme=https",
        ":path=/index.html",
        ":authority=www.example.com",
        "custom-key=custom-value",
    )


@given(blocks=st.lists(FIELDS, max_size=6), sizes=st.lists(st.integers(0, 4096), max_size=6))
@pytest.mark.parametrize("huffman", [False, True])
def test_what_another_encoder_writes_is_read(
    huffman: bool, blocks: list[list[tuple[bytes, bytes]]], sizes: list[int]
) -> None:
    """Twice, for what is remembered of the first time must not change the second."""
    known = KnownFields(as_told)
    for _ in range(2):
        writer, reader = hpack.Encoder(), Decoder(known, 1 << 16)
        for place, fields in enumerate(blocks):
            if place < len(sizes):
                writer.header_table_size = sizes[place]
            assert decoded(reader, writer.encode(fields, huffman=huffman)) == fields


@given(blocks=st.lists(FIELDS, max_size=6))
def test_what_is_written_another_decoder_reads(blocks: list[list[tuple[bytes, bytes]]]) -> None:
    writer, reader = Encoder(), hpack.Decoder()
    for fields in blocks:
        lines = [(name, value) for name, value in fields if b"\r\n" not in value]
        block = writer.encode([b"%b: %b\r\n" % line for line in lines])
        assert [tuple(field) for field in reader.decode(block, raw=True)] == lines


@given(blocks=st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_read_or_refused_and_never_worse(blocks: list[bytes]) -> None:
    reader = Decoder(KnownFields(read_request_field), 2000)
    for block in blocks:
        try:
            plain, special = reader.decode(block)
        except ConnectionFailure:
            break
        except HeadersTooLarge:
            continue
        assert sum(map(len, plain)) + sum(len(each[1]) for each in special) <= 2000


@given(fields=st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=6))
def test_a_block_that_is_cut_is_refused_or_a_whole_shorter_one(
    fields: list[tuple[bytes, bytes]],
) -> None:
    whole, known = hpack.Encoder().encode(fields), KnownFields(as_told)
    for cut in range(len(whole)):
        try:
            shorter = decoded(Decoder(known, 1 << 16), whole[:cut])
        except ConnectionFailure:
            continue
        assert shorter == fields[: len(shorter)]


def test_a_table_within_the_limit_that_was_acknowledged() -> None:
    reader = decoder()
    reader.limit = 100
    decoded(reader, b"\x3f\x45")
    with pytest.raises(ConnectionFailure):
        decoded(reader, b"\x3f\x46")


def test_an_entry_larger_than_the_table_empties_it() -> None:
    reader = decoder()
    decoded(reader, b"\x40\x01a\x01b")
    assert decoded(reader, b"\xbe") == pairs("a=b")
    decoded(reader, b"\x40\x01a\x7f\xa1\x1f" + b"x" * 4128)
    with pytest.raises(ConnectionFailure):
        decoded(reader, b"\xbe")


def test_a_remembered_block_means_what_the_table_says_now() -> None:
    reader = decoder()
    decoded(reader, b"\x40\x01a\x01b")
    assert decoded(reader, b"\x82\xbe") == pairs(":method=GET", "a=b")
    assert decoded(reader, b"\x82\xbe") == pairs(":method=GET", "a=b")
    decoded(reader, b"\x40\x01c\x01d")
    assert decoded(reader, b"\x82\xbe") == pairs(":method=GET", "c=d")


def test_a_remembered_block_of_one_connection_says_nothing_about_another_table() -> None:
    known = KnownFields(as_told)
    one, other = Decoder(known, 9999), Decoder(known, 9999)
    decoded(one, b"\x40\x01a\x01b")
    decoded(other, b"\x40\x01c\x01d")
    assert decoded(one, b"\xbe") == pairs("a=b")
    assert decoded(other, b"\xbe") == pairs("c=d")


def test_a_list_beyond_the_limit_is_refused_and_the_table_kept() -> None:
    reader = decoder(200)
    with pytest.raises(HeadersTooLarge):
        decoded(reader, b"\x40\x01a\x01b" + b"\xbe" * 10)
    assert decoded(reader, b"\xbe") == pairs("a=b")


@given(blocks=st.lists(FIELDS, min_size=2, max_size=5), huffman=st.booleans())
def test_a_reader_that_refuses_long_lists_knows_the_same_table(
    blocks: list[list[tuple[bytes, bytes]]], huffman: bool
) -> None:
    encoder, whole, short = hpack.Encoder(), decoder(), decoder(300)
    for fields in blocks:
        block = encoder.encode(fields, huffman=huffman)
        expected = decoded(whole, block)
        try:
            assert decoded(short, block) == expected
        except HeadersTooLarge:
            assert sum(len(name) + len(value) + 32 for name, value in expected) > 300


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"\xbe", id="an index that no table has"),
        pytest.param(b"\x80", id="the index 0"),
        pytest.param(b"\x20", id="a table size"),
        pytest.param(b"\x0f\x7f\x01v", id="a name that no table has"),
        pytest.param(b"\x00\x01a\x05v", id="a value that is cut"),
        pytest.param(b"\x00\x05a", id="a name that is cut"),
        pytest.param(b"\x00", id="a literal that is cut"),
        pytest.param(b"\x40\x01a\x05v", id="a literal for the table that is cut"),
    ],
)
def test_nonsense_behind_a_list_that_is_too_long_is_nonsense(rest: bytes) -> None:
    with pytest.raises(ConnectionFailure):
        decoded(decoder(200), b"\x82" * 10 + rest)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        pytest.param(b":status", b"200", b"\x88", id="indexed"),
        pytest.param(b"content-type", b"a", b"\x0f\x10\x01a", id="an indexed name"),
        pytest.param(b"x", b"a", b"\x00\x01x\x01a", id="a literal name"),
        pytest.param(b"cookie", b"a", b"\x1f\x11\x01a", id="a secret"),
        pytest.param(b"x", b"v" * 127, b"\x00\x01x\x7f\x00" + b"v" * 127, id="a long value"),
    ],
)
def test_a_field_is_written_without_a_table(name: bytes, value: bytes, written: bytes) -> None:
    assert encode_field(name, value) == written


@given(st.binary(max_size=60))
def test_huffman_reads_what_another_writes(text: bytes) -> None:
    assert (
        Huffman().decode(HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(text)) == text
    )


@given(st.binary(max_size=12))
def test_huffman_reads_only_what_an_encoder_could_write(code: bytes) -> None:
    try:
        text = HUFFMAN.decode(code)
    except BadHuffman:
        return
    assert WRITER.encode(text) == code


def test_lines_of_one_answer_alone_are_written_as_others_and_leave_nothing_behind() -> None:
    encoder = Encoder()
    head = ResponseHead(200, b"OK", [b"server: s\r\n"], keep_alive=True)
    plain = response_block(encoder, head, b"")

    def explained(number: int) -> bytes:
        lines = b"Knary-Revision: one\r\nKnary-Explain: turn %d of 50/50\r\n" % number
        return response_block(encoder, head, lines)

    assert hpack.Decoder().decode(explained(1), raw=True) == [
        *hpack.Decoder().decode(plain, raw=True),
        (b"knary-revision", b"one"),
        (b"knary-explain", b"turn 1 of 50/50"),
    ]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(2000):
            explained(number)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
