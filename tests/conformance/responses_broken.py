"""Answers whose head is good, and whose body breaks what the head promised."""

from __future__ import annotations

from tests.conformance.cases import CHUNKED, BadAnswer, answer, shown
from tests.conformance.requests_refused_chunks import DATA, EXTENSIONS, LAST, SIZES, TRAILERS

REST = b"\r\nhello\r\n0\r\n\r\n"
TOO_LARGE = [
    ("an extension of 64 KB", b"5;a=" + b"b" * 65_536 + REST),
    ("many extensions", b"".join([b"1;" + b"b" * 2048 + b"\r\nx\r\n"] * 10)),
    ("trailers of 20 KB", b"0\r\n" + b"A: b\r\n" * 4_000 + b"\r\n"),
    ("an endless trailer", b"0\r\nA: " + b"b" * 20_000),
    ("an endless size line", b"5;" + b"b" * 5_000),
]
CUT = [
    *(
        b"",
        b"5",
        b"5\r",
        b"5\r\n",
        b"5\r\nhel",
        b"5\r\nhello",
        b"5\r\nhello\r",
        b"5\r\nhello\r\n",
        b"5\r\nhello\r\n0",
    ),
    *(
        b"0\r",
        b"0\r\n",
        b"0\r\n\r",
        b"0\r\nA",
        b"0\r\nA: b",
        b"0\r\nA: b\r\n",
        b"0\r\nA: b\r\n\r",
        b"5;a",
        b"400\r\nhello",
    ),
]


def broken(
    why: str, cases: list[tuple[str, bytes]], name: str, *, closes: bool = False
) -> list[BadAnswer]:
    return [
        BadAnswer(f"{name}: {case}", answer(CHUNKED, body=body), why, in_body=True, closes=closes)
        for case, body in cases
    ]


ROWS: list[BadAnswer] = [
    *broken("RFC 9112 7.1", [(i, v + REST) for i, v in shown(SIZES)], "chunk size"),
    *broken(
        "RFC 9112 7.1.1", [(i, b"5" + v + REST) for i, v in shown(EXTENSIONS)], "chunk extension"
    ),
    *broken("RFC 9112 7.1", DATA, "chunk data"),
    *broken("RFC 9112 7.1", [(i, b"5\r\nhello\r\n" + v) for i, v in shown(LAST)], "last chunk"),
    *broken(
        "RFC 9112 7.1.2",
        [(i, b"5\r\nhello\r\n0\r\n" + v + b"\r\n\r\n") for i, v in shown(TRAILERS)],
        "trailer",
    ),
    *broken("bounds", TOO_LARGE, "size"),
    *broken("RFC 9112 8", shown(CUT), "closed within chunks", closes=True),
    *(
        BadAnswer(
            f"closed after {size} of 10 bytes",
            answer(b"Content-Length: 10", body=b"0123456789"[:size]),
            "RFC 9112 8",
            in_body=True,
            closes=True,
        )
        for size in (0, 1, 5, 9)
    ),
]
