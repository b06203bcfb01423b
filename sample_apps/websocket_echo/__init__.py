"""A WebSocket server that sends every message back, with its $SUFFIX behind it, as Knative's
conformance image wsserver does: `app` starts it, `server` is all of it.
`PORT=8080 python -m sample_apps.websocket_echo`.
"""
