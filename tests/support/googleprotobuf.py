"""Messages of our tables as Google's own protobuf library writes them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest

from simulator.api.protobuf.messages import Field, Message

protobuf = pytest.importorskip("google.protobuf")
descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2")
descriptor_pool = pytest.importorskip("google.protobuf.descriptor_pool")
message_factory = pytest.importorskip("google.protobuf.message_factory")

Type = descriptor_pb2.FieldDescriptorProto
PLAIN = {
    "string": Type.TYPE_STRING,
    "bytes": Type.TYPE_BYTES,
    "bool": Type.TYPE_BOOL,
    "int32": Type.TYPE_INT32,
    "int64": Type.TYPE_INT64,
}
SPECIAL = {
    "time": (("seconds", 1, Type.TYPE_INT64), ("nanos", 2, Type.TYPE_INT32)),
    "micro time": (("seconds", 1, Type.TYPE_INT64), ("nanos", 2, Type.TYPE_INT32)),
    "quantity": (("string", 1, Type.TYPE_STRING),),
    "int or string": (
        ("type", 1, Type.TYPE_INT64),
        ("intVal", 2, Type.TYPE_INT32),
        ("strVal", 3, Type.TYPE_STRING),
    ),
    "fields": (("raw", 1, Type.TYPE_BYTES),),
}


class Writer:
    """Writes documents of one table, as the library would write the Go struct's message."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._file = descriptor_pb2.FileDescriptorProto(name="tables.proto", syntax="proto2")
        self._names: dict[int, str] = {}
        for name, fields in SPECIAL.items():
            special = self._file.message_type.add(name=name.title().replace(" ", ""))
            for field, number, type_ in fields:
                special.field.add(name=field, number=number, type=type_, label=Type.LABEL_OPTIONAL)
        root = self._add(message)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(self._file)
        self._class = message_factory.GetMessageClass(pool.FindMessageTypeByName(root))

    def write(self, document: dict[str, Any]) -> bytes:
        """Return the message; fields of a document that the table has not are an error."""
        built = self._class()
        self._fill(built, self._message, document)
        data: bytes = built.SerializeToString()
        return data

    def _add(self, message: Message) -> str:
        """Return the name of the message's type, made when it is new."""
        if id(message) in self._names:
            return self._names[id(message)]
        name = self._names[id(message)] = f"M{len(self._names)}"
        built = descriptor_pb2.DescriptorProto(name=name)
        for number, field in message.fields.items():
            own = built.field.add(name=f"f{number}", number=number)
            own.label = Type.LABEL_OPTIONAL if field.form == "one" else Type.LABEL_REPEATED
            if field.form != "map":
                self._set_type(own, field)
                continue
            entry = built.nested_type.add(name=f"F{number}Entry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, type=Type.TYPE_STRING, label=Type.LABEL_OPTIONAL)
            self._set_type(
                entry.field.add(name="value", number=2, label=Type.LABEL_OPTIONAL), field
            )
            own.type, own.type_name = Type.TYPE_MESSAGE, f".{name}.F{number}Entry"
        self._file.message_type.append(built)
        return name

    def _set_type(self, own: Any, field: Field) -> None:
        if isinstance(field.type, str) and field.type in PLAIN:
            own.type = PLAIN[field.type]
            return
        own.type = Type.TYPE_MESSAGE
        if isinstance(field.type, Message):
            own.type_name = f".{self._add(field.type)}"
        else:
            own.type_name = f".{field.type.title().replace(' ', '')}"

    def _fill(self, built: Any, message: Message, document: dict[str, Any]) -> None:
        for number, field in message.fields.items():
            value = document if not field.name else document.get(field.name)
            if value is None:
                continue
            name = f"f{number}"
            match field.form:
                case "one":
                    self._set(built, name, field, value)
                case "many":
                    for item in value:
                        if isinstance(field.type, Message) or field.type in SPECIAL:
                            self._fill_one(getattr(built, name).add(), field, item)
                        else:
                            getattr(built, name).append(plain(field, item))
                case "map":
                    for key, item in value.items():
                        if field.type in SPECIAL:
                            self._fill_one(getattr(built, name)[key], field, item)
                        else:
                            getattr(built, name)[key] = plain(field, item)

    def _set(self, built: Any, name: str, field: Field, value: Any) -> None:
        if isinstance(field.type, Message) or field.type in SPECIAL:
            getattr(built, name).SetInParent()
            self._fill_one(getattr(built, name), field, value)
        else:
            setattr(built, name, plain(field, value))

    def _fill_one(self, built: Any, field: Field, value: Any) -> None:
        match field.type:
            case Message():
                self._fill(built, field.type, value)
            case "time" | "micro time":
                moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
                built.seconds, built.nanos = int(moment.timestamp() // 1), moment.microsecond * 1000
            case "quantity":
                built.string = value
            case "int or string" if isinstance(value, str):
                built.type, built.strVal = 1, value
            case "int or string":
                built.type, built.intVal = 0, value
            case "fields":
                built.raw = json.dumps(value).encode()


def plain(field: Field, value: Any) -> Any:
    return base64.b64decode(value) if field.type == "bytes" else value
