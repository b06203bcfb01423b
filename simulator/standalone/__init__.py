"""`knary gateway -f routes.yaml`: the gateway's workers alone, in front of anybody's processes.

`document` is the file as it is written and `schema` says so to editors; `reading` makes it a
`Configuration`, by way of `flaws` (what is wrong with it) and `table` (its RouteTable). `file`
reads it again when it changes, `parent` owns the sockets and the workers, and `metrics` shows
what they count.
"""
