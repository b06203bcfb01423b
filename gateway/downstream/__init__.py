"""Towards the clients: `client` (what a request needs of one), `h1` (one HTTP/1.1 connection),
`tunnel` (what it becomes after a 101).
"""
