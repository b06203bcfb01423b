"""Towards the revisions: `pool` (a backend, its replicas, their idle connections, and who waits),
`dialing` (waiting for a replica or for room, and connecting), `networks` (connecting into a
replica's own network), `lease` (what a request needs of its connection), `h1` (one HTTP/1.1
connection to a replica).
"""
