"""What can go wrong with a request: each error knows the answer that a client gets."""

from __future__ import annotations

from typing import ClassVar

from gateway.metrics.cell import OTHER, TIMED_OUT, UPSTREAM_FAILED, UPSTREAM_NONSENSE


class GatewayError(Exception):
    """A request that cannot be served. `body` is what the client reads, one line of text."""

    status: ClassVar[int] = 500
    body: ClassVar[str] = "internal error"
    reason: ClassVar[int] = OTHER  # what metrics say of an answer that it broke off

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.body)
        self.detail = detail

    @property
    def text(self) -> str:
        """The line that a client reads. It never holds bytes that a client or a revision sent."""
        return self.body


class BadMessage(GatewayError):
    """Bytes that two parsers could read differently, or that are no HTTP at all.

    `detail` is a text of our own, fixed in the source: a client may read it.
    """

    status = 400
    body = "bad request"

    @property
    def text(self) -> str:
        return f"{self.body}: {self.detail}" if self.detail else self.body


class CodingRefused(BadMessage):
    """A transfer coding before the final chunked (RFC 9112 6.1); what follows is not read."""

    status = 501
    body = "no transfer coding but chunked is understood"


class HeadTooLarge(GatewayError):
    """A head, a chunk's line or trailers beyond a limit; `detail` is a text of our own."""

    status = 431
    body = "request header fields too large"

    @property
    def text(self) -> str:
        return f"{self.body}: {self.detail}" if self.detail else self.body


class TargetTooLong(GatewayError):
    status = 414
    body = "URI too long"


class HeadTimeout(GatewayError):
    status = 408
    body = "request head timeout"


class MethodRefused(GatewayError):
    """A method implemented for no resource: 501, not 405 with its Allow (RFC 9110 9.1)."""

    status = 501
    body = "CONNECT is not served here"


class ExpectationFailed(GatewayError):
    status = 417
    body = "expectation failed"


class VersionRefused(GatewayError):
    status = 505
    body = "HTTP version not supported"


class NoRoute(GatewayError):
    """No service has this host (Envoy: no route)."""

    status = 404
    body = "no service has this host"


class UpstreamFailed(GatewayError):
    """The revision closed or broke the connection before it answered."""

    status = 502
    reason = UPSTREAM_FAILED
    body = "the revision closed the connection before it answered"


class UpstreamNonsense(GatewayError):
    """The revision's answer is not HTTP that can be passed on; `detail` is a text of our own."""

    status = 502
    reason = UPSTREAM_NONSENSE
    body = "the revision's answer is not valid HTTP"

    @property
    def text(self) -> str:
        return f"{self.body}: {self.detail}" if self.detail else self.body


class NoReplica(GatewayError):
    """No replica of the revision came up within `replica_wait_s_max`."""

    status = 503
    body = "no replica of the revision is ready"


class QueueFull(GatewayError):
    """Too many requests wait for the revision (the activator's words)."""

    status = 503
    body = "pending request queue full"


class BackendGone(GatewayError):
    """The revision left the table while a request waited for it: the request is routed anew."""

    status = 503
    body = "the revision is no longer served"


class RequestTimeout(GatewayError):
    """The revision's timeoutSeconds is over (queue-proxy's words)."""

    status = 504
    reason = TIMED_OUT
    body = "request timeout"
