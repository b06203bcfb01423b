"""HTTP/2 as pure functions and state machines (RFC 9113, RFC 7541): `frames` (bytes of frames),
`hpack` with `huffman` and `fields` (header blocks), `heads` (blocks to the heads that HTTP/1.1 has
too), `stream` and `sending` (one stream; what waits for a window), and the connection's two roles,
`server` and `client`, over what they share (`connection`). Bytes in, calls to a receiver out.
"""
