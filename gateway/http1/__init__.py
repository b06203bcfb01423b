"""HTTP/1.1 as pure functions: `head` (lines to a head, strictly), `body` (where a body ends, and
what is in it). Nothing that two parsers could read differently gets past them (RFC 9112).
"""
