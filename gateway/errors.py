"""What can go wrong with a request: each error knows the answer that a client gets."""

from __future__ import annotations

from typing import ClassVar

from gateway.metrics.cell import OTHER, TIMED_OUT, UPSTREAM_FAILED, UPSTREAM_NONSENSE


class GatewayError(Exception):
    """A request that cannot be served. `detail` is for the log, unless a class tells it."""

    status: ClassVar[int] = 500
    summary: ClassVar[str] = "internal error"
    tells_detail: ClassVar[bool] = False  # then `detail` is a text of our own, fixed in the source
    reason: ClassVar[int] = OTHER  # what metrics say of an answer that it broke off

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.summary)
        self.detail = detail

    def answer_status(self) -> int:
        """Return the status of the answer that a client gets."""
        return self.status

    @property
    def body(self) -> str:
        """The line that a client reads. It never holds bytes that a client or a revision sent."""
        return (
            f"{self.summary}: {self.detail}" if self.tells_detail and self.detail else self.summary
        )


class BadMessage(GatewayError):
    """Bytes that two parsers could read differently, or that are no HTTP at all."""

    status = 400
    summary = "bad request"
    tells_detail = True


class CodingRefused(BadMessage):
    """A transfer coding before the final chunked (RFC 9112 6.1); what follows is not read."""

    status = 501
    summary = "no transfer coding but chunked is understood"


class HeadTooLarge(GatewayError):
    """A head, a chunk's line or trailers beyond a limit."""

    status = 431
    summary = "request header fields too large"
    tells_detail = True


class TargetTooLong(GatewayError):
    status = 414
    summary = "URI too long"


class HeadTimeout(GatewayError):
    status = 408
    summary = "request head timeout"


class MethodRefused(GatewayError):
    """A method implemented for no resource: 501, not 405 with its Allow (RFC 9110 9.1)."""

    status = 501
    summary = "CONNECT is not served here"


class BodyTimeout(GatewayError):
    """The client has sent nothing of its request's body for too long."""

    status = 408
    summary = "request body timeout"


class ExpectationFailed(GatewayError):
    status = 417
    summary = "expectation failed"


class VersionRefused(GatewayError):
    status = 505
    summary = "HTTP version not supported"


class NoRoute(GatewayError):
    """No service has this host (Envoy: no route)."""

    status = 404
    summary = "no service has this host"


class UpstreamFailed(GatewayError):
    """The revision closed or broke the connection before it answered."""

    status = 502
    reason = UPSTREAM_FAILED
    summary = "the revision closed the connection before it answered"


class UpstreamNonsense(GatewayError):
    """The revision's answer is not HTTP that can be passed on."""

    status = 502
    reason = UPSTREAM_NONSENSE
    summary = "the revision's answer is not valid HTTP"
    tells_detail = True


class NoReplica(GatewayError):
    """No replica of the revision came up within `replica_wait_s_max`."""

    status = 503
    summary = "no replica of the revision is ready"


class QueueFull(GatewayError):
    """Too many requests wait for the revision (the activator's words)."""

    status = 503
    summary = "pending request queue full"


class BackendGone(GatewayError):
    """The revision left the table while a request waited for it: the request is routed anew."""

    status = 503
    summary = "the revision is no longer served"


class RequestTimeout(GatewayError):
    """The revision's timeoutSeconds is over (queue-proxy's words)."""

    status = 504
    reason = TIMED_OUT
    summary = "request timeout"


class FaultAbort(GatewayError):
    """A fault answers in the revision's place (the words are those of Envoy's fault filter)."""

    summary = "fault filter abort"

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status

    def answer_status(self) -> int:
        """Return the status that the fault asks for."""
        return self._status
