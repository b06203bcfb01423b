"""The load generator: sends requests at planned moments and says which revision answered them.

`plan` says what to send and `schedule` when (both pure); `generator` sends it over `connection`s of
HTTP/1.1 or `multiplexed` ones of HTTP/2 (h2c, gRPC), woken by `alarm`, and measures its own
`occupancy`; each `Answer` goes to
`report`, which keeps `histogram`s per revision, and slices of time in a `timeline`. `processes`
shares one plan out to several `child` processes and adds up what they counted. Latency counts from
the planned moment, so a server that stalls cannot hide it (no coordinated omission), and a
generator that fell behind its own schedule says so. The demo, scenarios, `knary load` and the
benchmarks all send their requests from here.
"""
