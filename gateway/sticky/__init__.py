"""Sessions that stay with their revision, above any splitter: a new session takes a turn, an old
one keeps its place. `places` says where a session stands in a split's shares, and where it goes
when they change; `tokens` signs that into a cookie and reads it again; `stickiness` is what a
split asks for each request.
"""
