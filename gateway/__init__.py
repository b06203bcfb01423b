"""The data plane: accept, parse, route, split, wait, forward, measure.

It knows nothing of Kubernetes: `contract` is all that it is told. Read `exchange` first.
"""
