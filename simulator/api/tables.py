"""Objects as the rows that `kubectl get` prints. Pure; the time is an argument.

Source: apiextensions-apiserver `registry/customresource/tableconvertor` (columns of a CRD); those
of Kubernetes' own kinds are in `cells`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from simulator.api.cells import SPECIAL, Cell
from simulator.resources import conditions
from simulator.resources.meta import Resource
from simulator.resources.scheme import NAME, Column, KindInfo, to_document

INCLUDE_OBJECT = ("Metadata", "Object", "None")


def table(
    info: KindInfo, objects: Sequence[Resource], version: str, include: str, now: datetime
) -> dict[str, Any]:
    """Return the objects as a Table's columnDefinitions, rows and metadata, in meta.k8s.io/v1.

    `include` says what a row carries of its object: its Metadata, the whole Object, or None.
    """
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": column_definitions(info),
        "rows": [_row(info, obj, include, now) for obj in objects],
    }


def column_definitions(info: KindInfo) -> list[dict[str, Any]]:
    """Return the name column, where the kind has no other place for it, and the kind's own."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": f"{column.name} of the object",
            "priority": column.priority,
        }
        for column in _columns(info)
    ]


def _columns(info: KindInfo) -> tuple[Column, ...]:
    if any(column.path == NAME.path for column in info.columns):
        return info.columns
    return (NAME, *info.columns)


def _row(info: KindInfo, obj: Resource, include: str, now: datetime) -> dict[str, Any]:
    document = to_document(obj)
    row: dict[str, Any] = {
        "cells": [_cell(column, obj, document, now) for column in _columns(info)]
    }
    if include == "Object":
        row["object"] = document
    elif include == "Metadata":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": msgspec.to_builtins(obj.metadata),
        }
    return row


def _cell(column: Column, obj: Resource, document: dict[str, Any], now: datetime) -> Cell:
    special = SPECIAL.get(column.path)
    if special is not None:
        return special(obj, now)
    source, found, rest = column.path.partition(":")
    if found and source == "labels":
        return obj.metadata.labels.get(rest)
    if found and source == "conditions":
        return _condition_field(obj, rest)
    return _at(document, column.path)


def _condition_field(obj: Resource, path: str) -> str | None:
    type_, _, name = path.partition(".")
    status = getattr(obj, "status", None)
    condition = conditions.find(getattr(status, "conditions", ()), type_)
    # An absent field is an empty cell, as for a JSONPath that finds nothing.
    return (getattr(condition, name) or None) if condition is not None else None


def _at(document: Any, path: str) -> Cell:
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document if isinstance(document, str | int | float | bool) else None
