"""What loads a gateway as fast as answers come: `wrk` (HTTP/1.1) and `h2load` (h2c). Each is a
process of its own, and returns the `counts` of what it did.
"""
