"""Knative's first sample app, in Python: `app` is the server, `behaviour` reads the environment
and names the ways in which it may misbehave. `PORT=8080 python -m sample_apps.helloworld_go`.
"""
