"""An instance's description, for tests that need one and no instance."""

from __future__ import annotations

from simulator.instance.description import Description

HERE = Description(
    pid=1,
    version="0.1.0",
    gateway="http://127.0.0.1:8080",
    gateway_local="http://127.0.0.1:8081",
    api="https://127.0.0.1:6443",
    console="http://127.0.0.1:8090",
    domain="example.com",
    splitter="stratified",
    data_folder="/data",
    workers=2,
    started="2026-01-01T00:00:00Z",
)
