"""HTTP/1.1 as pure functions: `head` (lines, strictly), `request` and `response` (what a head
means), `body` (where a body ends, and what is in it), `start` (what an incomplete head gives away).
Nothing that two parsers could read differently gets past them (RFC 9112).
"""
