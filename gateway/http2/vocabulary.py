"""What all HTTP/2 connections of a worker remember: fields read, and lines written. Pure."""

from __future__ import annotations

from gateway.http2.fields import read_request_field, read_response_field
from gateway.http2.hpack import Encoder, KnownFields


class Vocabulary:
    """Holds for every connection alike: nothing of it hangs on a connection's table."""

    def __init__(self) -> None:
        self.requests = KnownFields(read_request_field)
        self.responses = KnownFields(read_response_field)
        self.encoder = Encoder()
