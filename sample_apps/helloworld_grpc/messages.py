"""The services that the app speaks, described at run time: no generated code, no build step.

What a .proto file would say; a client compiled from gRPC's own helloworld.proto, or from the
ping.proto of Knative's grpc-ping, fits:

    package helloworld;
    service Greeter {
      rpc SayHello (HelloRequest) returns (HelloReply);
      rpc SayHelloStreamReply (HelloRequest) returns (stream HelloReply);
      rpc SayHelloBidiStream (stream HelloRequest) returns (stream HelloReply);
    }
    message HelloRequest { string name = 1; }
    message HelloReply { string message = 1; }

    package ping;
    service PingService {
      rpc Ping (Request) returns (Response);
      rpc PingStream (stream Request) returns (stream Response);
    }
    message Request { string msg = 1; }
    message Response { string msg = 1; }
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Method(NamedTuple):
    """One RPC: the messages that go in and out, each a text, and which of them are streams."""

    name: str
    request: str
    response: str
    streams_in: bool = False
    streams_out: bool = False


class File(NamedTuple):
    """One .proto file: its service, and its messages as (name, the name of its one field)."""

    package: str
    service: str
    methods: tuple[Method, ...]
    messages: tuple[tuple[str, str], ...]

    @property
    def full_name(self) -> str:
        return f"{self.package}.{self.service}"


GREETER: Final = File(
    package="helloworld",
    service="Greeter",
    methods=(
        Method("SayHello", "HelloRequest", "HelloReply"),
        Method("SayHelloStreamReply", "HelloRequest", "HelloReply", streams_out=True),
        Method(
            "SayHelloBidiStream", "HelloRequest", "HelloReply", streams_in=True, streams_out=True
        ),
    ),
    messages=(("HelloRequest", "name"), ("HelloReply", "message")),
)
PING: Final = File(
    package="ping",
    service="PingService",
    methods=(
        Method("Ping", "Request", "Response"),
        Method("PingStream", "Request", "Response", streams_in=True, streams_out=True),
    ),
    messages=(("Request", "msg"), ("Response", "msg")),
)


def described(file: File) -> dict[str, Any]:
    """Register the file with protobuf's default pool, for reflection to find; return its
    message classes by name.
    """
    proto = descriptor_pb2.FileDescriptorProto(
        name=f"{file.package}.proto", package=file.package, syntax="proto3"
    )
    for name, field in file.messages:
        message = proto.message_type.add(name=name)
        message.field.add(
            name=field,
            number=1,
            type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
            label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
        )
    service = proto.service.add(name=file.service)
    for method in file.methods:
        service.method.add(
            name=method.name,
            input_type=f".{file.package}.{method.request}",
            output_type=f".{file.package}.{method.response}",
            client_streaming=method.streams_in,
            server_streaming=method.streams_out,
        )
    pool = descriptor_pool.Default()
    pool.Add(proto)
    found = pool.FindFileByName(proto.name)
    return {
        name: message_factory.GetMessageClass(found.message_types_by_name[name])
        for name, _ in file.messages
    }
