"""What only programs here drive proxies with: `paced`, HTTP/1.1 at a constant rate, latencies from
the planned moment. It is a process of its own, and returns what it counted. The other drivers
are the harness's.
"""
