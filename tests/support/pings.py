"""A conversation on one HTTP/2 stream, as Knative's grpc-ping has it: each message is answered."""

from __future__ import annotations

from tests.support.gateway import until
from tests.support.h2peers import Peer, Seen

MESSAGE_BYTES = 7  # four digits, and a suffix of three


async def pinging(peer: Peer, seen: Seen, suffix: bytes) -> None:
    """Answer each message of 4 bytes as it comes, with a suffix."""
    peer.say(seen, (":status", "200"), ("content-type", "application/grpc"))
    done = 0
    while True:
        await until(lambda: len(seen.body) > done or seen.is_over, "a message")  # noqa: B023
        if len(seen.body) == done:
            peer.say(seen, ("grpc-status", "0"), ended=True)
            return
        message = seen.body[done : done + 4]
        done += 4
        peer.data(seen, message + suffix)


async def ping(client: Peer, messages: int) -> Seen:
    """Have a conversation of so many messages on a stream of its own."""
    fields = (("content-type", "application/grpc"), ("te", "trailers"))
    seen = client.ask("/ping.PingService/PingStream", *fields, method="POST", ended=False)
    for number in range(messages):
        client.data(seen, b"%04d" % number)
        await until(lambda: len(seen.body) >= MESSAGE_BYTES * (number + 1), "the reply")  # noqa: B023
    client.data(seen, ended=True)
    return await client.answered(seen)
