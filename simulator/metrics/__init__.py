"""What the gateway's workers counted, as one: read, summed up, and shown to Prometheus and people.

`files` reads what each worker shares, `counts` adds it up, `families` names every figure, and
`exposition` writes them as Prometheus or OpenMetrics text; `page` puts these together.
docs/metrics.md has the names.
"""
