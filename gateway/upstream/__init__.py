"""Towards the revisions: `pool` (a backend, its replicas and their idle connections), `h1` (one
HTTP/1.1 connection to a replica), `dialing` (waiting for a replica, and connecting to it).
"""
