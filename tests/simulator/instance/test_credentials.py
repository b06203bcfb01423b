"""The credentials of an instance: made once, private, renewed when they must be."""

from __future__ import annotations

import base64
import json
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from simulator.access.kubeconfig import parse_kubeconfig
from simulator.instance.credentials import CredentialsUnusable, ensure_credentials
from simulator.instance.paths import InstancePaths

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def certificate(paths: InstancePaths, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((paths.certificates / name).read_bytes())


def names(paths: InstancePaths) -> set[str]:
    san = certificate(paths, "server.crt").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return {str(name.value) for name in san.value}


def test_the_first_start_makes_everything_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path)
    made = ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        *("token", "kubeconfig", "ca.crt", "ca.key", "server.crt", "server.key", "issued.json")
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(paths.certificates.stat().st_mode) == 0o700
    assert made.token == paths.token.read_text().strip()
    assert len(made.token) >= 40
    assert made.token not in repr(made)
    assert names(paths) == {"localhost", "127.0.0.1", "::1"}
    certificate(paths, "server.crt").verify_directly_issued_by(certificate(paths, "ca.crt"))
    assert isinstance(made.server_context(), ssl.SSLContext)


def test_the_kubeconfig_is_complete(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path)
    made = ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    document = json.loads(paths.kubeconfig.read_text())
    assert document["current-context"] == "knary"
    assert document["contexts"][0]["context"] == {
        "cluster": "knary",
        "user": "knary-admin",
        "namespace": "default",
    }
    cluster = document["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:6443"
    authority = (paths.certificates / "ca.crt").read_bytes()
    assert base64.b64decode(cluster["certificate-authority-data"]) == authority
    endpoint = parse_kubeconfig(paths.kubeconfig.read_text(), paths.kubeconfig)
    assert (endpoint.address, endpoint.token) == ("https://127.0.0.1:6443", made.token)


def test_a_second_start_changes_nothing_and_loads_no_cryptography(tmp_path: Path) -> None:
    ensure_credentials(InstancePaths(tmp_path), "127.0.0.1", 6443, NOW)
    before = contents(tmp_path)
    program = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from simulator.instance.credentials import ensure_credentials\n"
        "from simulator.instance.paths import InstancePaths\n"
        "now = datetime(2026, 1, 3, tzinfo=UTC)\n"
        "ensure_credentials(InstancePaths(Path(sys.argv[1])), '127.0.0.1', 6443, now)\n"
        "sys.exit(any(name.startswith('cryptography') for name in sys.modules))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=True)
    assert contents(tmp_path) == before


def test_another_port_rewrites_only_the_kubeconfig(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path)
    ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    before = contents(tmp_path)
    ensure_credentials(paths, "127.0.0.1", 7443, NOW)
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"kubeconfig"}
    endpoint = parse_kubeconfig(paths.kubeconfig.read_text(), paths.kubeconfig)
    assert endpoint.port == 7443


@pytest.mark.parametrize("host", ["192.0.2.7", "fd00::7", "build.example"])
def test_another_host_gets_a_certificate_of_the_same_ca(tmp_path: Path, host: str) -> None:
    paths = InstancePaths(tmp_path)
    first = ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    before = contents(tmp_path)
    second = ensure_credentials(paths, host, 6443, NOW)
    after = contents(tmp_path)
    assert names(paths) == {"localhost", "127.0.0.1", "::1", host}
    assert (first.token, before["tls/ca.crt"]) == (second.token, after["tls/ca.crt"])
    shown = f"[{host}]" if ":" in host else host
    assert f"https://{shown}:6443" in paths.kubeconfig.read_text()


@pytest.mark.parametrize(
    ("later", "renews_server", "renews_authority"),
    [
        pytest.param(timedelta(days=300), False, False, id="young"),
        pytest.param(timedelta(days=340), True, False, id="about to expire"),
        pytest.param(timedelta(days=3600), True, True, id="the CA would expire first"),
        pytest.param(timedelta(days=-2), True, False, id="the clock went back"),
    ],
)
def test_time_renews(
    tmp_path: Path, later: timedelta, renews_server: bool, renews_authority: bool
) -> None:
    paths = InstancePaths(tmp_path)
    ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    before = contents(tmp_path)
    ensure_credentials(paths, "127.0.0.1", 6443, NOW + later).server_context()
    after = contents(tmp_path)
    assert (before["tls/server.crt"] != after["tls/server.crt"]) is renews_server
    assert (before["tls/ca.crt"] != after["tls/ca.crt"]) is renews_authority
    assert (before["kubeconfig"] != after["kubeconfig"]) is renews_authority
    assert before["token"] == after["token"]


@pytest.mark.parametrize(
    "name", ["ca.crt", "ca.key", "server.crt", "server.key", "issued.json", "../token"]
)
@pytest.mark.parametrize("damage", [None, b"", b"rubbish \xff"], ids=["gone", "empty", "rubbish"])
def test_what_is_missing_or_damaged_is_made_anew(
    tmp_path: Path, name: str, damage: bytes | None
) -> None:
    paths = InstancePaths(tmp_path)
    ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    file = paths.certificates / name
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    made = ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    made.server_context()
    certificate(paths, "server.crt").verify_directly_issued_by(certificate(paths, "ca.crt"))
    endpoint = parse_kubeconfig(paths.kubeconfig.read_text(), paths.kubeconfig)
    assert endpoint.token == made.token
    assert len(made.token) >= 40


def test_files_that_others_could_read_are_closed_again(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path)
    ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".json"]
    for file in files:
        file.chmod(0o644)
    ensure_credentials(paths, "127.0.0.1", 6443, NOW)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("in the way")
    with pytest.raises(CredentialsUnusable, match="--data"):
        ensure_credentials(InstancePaths(tmp_path), "127.0.0.1", 6443, NOW)
