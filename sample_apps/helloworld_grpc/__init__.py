"""The gRPC sibling of `helloworld_go`: `app` serves helloworld.Greeter and ping.PingService on
grpcio, with health and reflection; `messages` describes both services. Needs knary's extra `grpc`.
`PORT=8080 python -m sample_apps.helloworld_grpc`.
"""
