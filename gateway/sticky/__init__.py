"""Sessions that stay with their revision, above any splitter: a new session takes a turn, an old
one keeps its place. `places` says where a session stands in a split's shares, and where it goes
when they change; `stickiness` is what a split asks for each request. `bycookie` knows a session by
a cookie (`cookies`) whose value `tokens` signs and reads, `bykey` by a header or an address, in the
`table` that all workers share.
"""
