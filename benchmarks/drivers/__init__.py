"""What loads a proxy: `wrk` (HTTP/1.1, as fast as answers come), `h2load` (h2c, the same) and
`paced` (HTTP/1.1 at a constant rate, latencies from the planned moment). Each is a process of its
own, and returns what it counted.
"""
