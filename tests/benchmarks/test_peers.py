"""What the peers are told, and what the matrix is made of."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.peers import configurations, proxies

BACKENDS = ("127.0.0.1:1001", "127.0.0.1:1002")


def setup(folder: Path, **more: Any) -> configurations.Setup:
    return configurations.Setup(folder, 18000, BACKENDS, **more)


@pytest.mark.parametrize("name", ["nginx", "haproxy", "envoy"])
def test_a_peer_splits_over_both_replicas_on_its_port(tmp_path: Path, name: str) -> None:
    text = getattr(configurations, name)(setup(tmp_path))
    assert "18000" in text
    assert all(backend.rpartition(":")[2] in text for backend in BACKENDS)


def test_envoy_has_weighted_clusters_of_equal_halves_and_no_log(tmp_path: Path) -> None:
    told = json.loads(configurations.envoy(setup(tmp_path)))
    (listener,) = told["static_resources"]["listeners"]
    (filter_,) = listener["filter_chains"][0]["filters"]
    manager = filter_["typed_config"]
    (route,) = manager["route_config"]["virtual_hosts"][0]["routes"]
    split = route["route"]["weighted_clusters"]["clusters"]
    assert [(each["name"], each["weight"]) for each in split] == [("r1", 1), ("r2", 1)]
    assert "access_log" not in manager
    assert manager["codec_type"] == "HTTP1"


@pytest.mark.parametrize(("h2c", "protocol"), [(False, "http_"), (True, "http2_")])
def test_envoy_speaks_one_protocol_on_both_sides(tmp_path: Path, h2c, protocol) -> None:
    told = json.loads(configurations.envoy(setup(tmp_path, h2c=h2c)))
    options = [
        next(iter(cluster["typed_extension_protocol_options"].values()))["explicit_http_config"]
        for cluster in told["static_resources"]["clusters"]
    ]
    assert [list(each) for each in options] == [[f"{protocol}protocol_options"]] * 2


@pytest.mark.parametrize(
    ("workers", "lines"),
    [
        pytest.param(1, ("master_process off;", "worker_processes 1;"), id="one process"),
        pytest.param(2, ("master_process on;", "worker_processes 2;", " reuseport;"), id="two"),
    ],
)
def test_nginx_has_as_many_workers_as_asked(tmp_path: Path, workers, lines) -> None:
    text = configurations.nginx(setup(tmp_path, workers=workers))
    assert all(line in text for line in lines)


CHECKS = {
    "nginx": ("-t", "-c"),
    "haproxy": ("-c", "-f"),
    "envoy": ("--mode", "validate", "--log-level", "error", "-c"),
}


@pytest.mark.parametrize("h2c", [False, True], ids=["HTTP/1.1", "h2c"])
@pytest.mark.parametrize("name", CHECKS)
def test_the_real_peer_takes_its_configuration(tmp_path: Path, name: str, h2c) -> None:
    if h2c and name not in proxies.H2C:
        pytest.skip(f"{name} speaks no h2c to replicas")
    binary = proxies.find(name)
    if binary is None:
        pytest.skip(f"{name} is not installed ({proxies.INSTALL[name]})")
    call = proxies.command(name, setup(tmp_path, h2c=h2c))
    done = subprocess.run(
        [binary, *CHECKS[name], next(each for each in call if str(tmp_path / name) in each)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("nginx", "{ 90.00% r1; * r3; }", id="nginx: the last one has the rest"),
        pytest.param("haproxy", "weight 90\n  server r3 127.0.0.1:1003 weight 10", id="haproxy"),
        pytest.param("envoy", '"weight": 90', id="envoy"),
    ],
)
def test_a_peer_gets_the_percents_and_nobody_without_one(tmp_path: Path, name, told) -> None:
    backends = (*BACKENDS, "127.0.0.1:1003")
    asked = configurations.Setup(tmp_path, 18000, backends, percents=(90, 0, 10))
    text = getattr(configurations, name)(asked)
    assert told in text
    assert "1002" not in text


@pytest.mark.parametrize("name", proxies.H2C_IN_FRONT)
def test_a_peer_can_speak_h2c_to_clients_alone(tmp_path: Path, name: str) -> None:
    asked = setup(tmp_path, h2c=True, http1_backends=True)
    text = getattr(configurations, name)(asked)
    front = {"nginx": " http2", "haproxy": "4096 proto h2", "envoy": '"codec_type": "HTTP2"'}
    assert front[name] in text
    assert "weight 1 proto h2" not in text
    assert '"explicit_http_config": {\n      "http2_protocol_options"' not in text


@pytest.mark.parametrize("name", proxies.NAMES)
def test_a_peer_says_its_version(name: str) -> None:
    if name in proxies.missing((name,)):
        pytest.skip(f"{name} is not installed")
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?", proxies.version(name))


def test_every_case_has_its_own_name_and_peers_that_exist(load) -> None:
    matrix = load("matrix_cases")
    names = [case.name for case in matrix.CASES]
    assert len(set(names)) == len(names)
    for case in matrix.CASES:
        assert set(case.world.peers) <= set(proxies.NAMES)
        assert not case.world.h2c or set(case.world.peers) <= set(proxies.H2C)
        assert bool(case.streams) == case.world.h2c


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        pytest.param("grpc,bare-32", ["bare-32", "grpc"], id="in the matrix's order"),
        pytest.param("down-*", ["down-1k", "down-64k", "down-10m"], id="by a pattern"),
    ],
)
def test_cases_are_chosen_by_name(load, patterns: str, names: list[str]) -> None:
    assert [case.name for case in load("matrix_cases").chosen(patterns)] == names


def test_a_case_that_does_not_exist_is_an_error_that_names_those_which_do(load) -> None:
    with pytest.raises(ValueError, match=r"no such case: nonsense \(known: bare-32"):
        load("matrix_cases").chosen("bare-32,nonsense")


def test_a_large_table_names_every_backend_and_each_host_once(load) -> None:
    tables = load("tables")
    table = tables.table(1, 20, 7, BACKENDS)
    hosts = [host for row in table.routes.values() for host in (*row.hosts, *row.local_hosts)]
    shares = [share for row in table.routes.values() for share in row.split.shares]
    assert len(set(hosts)) == len(hosts)
    assert {share.backend for share in shares} == set(table.backends)
    assert {sum(share.weight for share in row.split.shares) for row in table.routes.values()} == {
        10_000
    }


def test_one_changed_route_leaves_every_other_row_the_same_object(load) -> None:
    tables = load("tables")
    old = tables.table(1, 5, 3, BACKENDS)
    route = tables.row(2, tables.shifted(tables.evenly(3), 7))
    new = tables.with_route(old, 2, route)
    assert [key for key in old.routes if new.routes[key] is not old.routes[key]] == [route.key]
    assert sum(share.weight for share in route.split.shares) == 10_000
    assert new.backends is old.backends
