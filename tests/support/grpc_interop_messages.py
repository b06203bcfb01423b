"""The messages of gRPC's interop tests, as grpc/grpc src/proto/grpc/testing has them.

Only the fields that the cases use; the numbers are the official ones, so that any official client
or server can take the other side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "grpc.testing"
_INT32, _BYTES, _STRING, _MESSAGE = (
    descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
)


class _Field(NamedTuple):
    name: str
    number: int
    type: Any
    message: str = ""
    repeated: bool = False


_MESSAGES: dict[str, tuple[_Field, ...]] = {
    "Empty": (),
    "Payload": (_Field("body", 2, _BYTES),),
    "EchoStatus": (_Field("code", 1, _INT32), _Field("message", 2, _STRING)),
    "SimpleRequest": (
        _Field("response_size", 2, _INT32),
        _Field("payload", 3, _MESSAGE, "Payload"),
        _Field("response_status", 7, _MESSAGE, "EchoStatus"),
    ),
    "SimpleResponse": (_Field("payload", 1, _MESSAGE, "Payload"),),
    "StreamingInputCallRequest": (_Field("payload", 1, _MESSAGE, "Payload"),),
    "StreamingInputCallResponse": (_Field("aggregated_payload_size", 1, _INT32),),
    "ResponseParameters": (_Field("size", 1, _INT32), _Field("interval_us", 2, _INT32)),
    "StreamingOutputCallRequest": (
        _Field("response_parameters", 2, _MESSAGE, "ResponseParameters", repeated=True),
        _Field("payload", 3, _MESSAGE, "Payload"),
        _Field("response_status", 7, _MESSAGE, "EchoStatus"),
    ),
    "StreamingOutputCallResponse": (_Field("payload", 1, _MESSAGE, "Payload"),),
}


class Messages(NamedTuple):
    """The classes, by their official names."""

    Empty: Any
    Payload: Any
    EchoStatus: Any
    SimpleRequest: Any
    SimpleResponse: Any
    StreamingInputCallRequest: Any
    StreamingInputCallResponse: Any
    ResponseParameters: Any
    StreamingOutputCallRequest: Any
    StreamingOutputCallResponse: Any


def _classes() -> Messages:
    file = descriptor_pb2.FileDescriptorProto(
        name="knary_interop.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            message.field.add(
                name=field.name,
                number=field.number,
                type=field.type,
                type_name=f".{_PACKAGE}.{field.message}" if field.message else None,
                label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
                if field.repeated
                else descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindFileByName(file.name).message_types_by_name
    return Messages(*(message_factory.GetMessageClass(found[name]) for name in Messages._fields))


M = _classes()


def payload(size: int) -> Any:
    """Return a payload of so many zeros."""
    return M.Payload(body=bytes(size))
