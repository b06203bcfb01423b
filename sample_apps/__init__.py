"""Programs that stand in for well-known images: `helloworld_go`, Knative's first sample,
`helloworld_grpc`, its gRPC sibling, and `websocket_echo`. They import nothing of `gateway` and
`simulator`, and each runs alone; `starting` is what the last two share.
"""
