"""`knary run --up`: a scenario on a knary of its own, and the files that say what held."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

from simulator.instance import description as descriptions
from simulator.instance.lock import is_alive
from tests.support.instance import HELLO, KNARY, Instance, environment
from tests.support.waiting import eventually

STORY = f"""
title: Shift
steps:
- title: Create
  command: knary service create hello --image {HELLO}
- command: knary service update hello --env TARGET=Knative --traffic hello-00001=100
- wait: {{revision: hello-00002}}
- title: Ramp
  ramp:
    service: hello
    from: hello-00001
    to: hello-00002
    percents: [10, 50]
    steps:
    - load: {{service: hello, requests: 20}}
    - expect: {{answers: {{say: {{hello-00002: Hello Knative!}}}}}}
    - expect: {{latency: {{p99: 10s}}}}
- title: Go back
  rollback: hello
- load: {{service: hello, requests: 20}}
- expect: {{answers: {{none_to: [hello-00002]}}}}
- expect: {{event: {{about: hello, reason: Created}}}}
- expect: {{traffic: {{service: hello, split: {{hello-00001: 99, hello-00002: 1}}}}}}
"""


def test_a_story_is_played_and_what_held_is_written(tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(STORY)
    files = [tmp_path / name for name in ("out.xml", "out.html")]
    done = subprocess.run(
        [
            *(*KNARY, "run", "--up", "--seed", "7", str(story), "--json", "-"),
            *("--junit", str(files[0]), "--html", str(files[1])),
        ],
        env=environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (scenario,) = json.loads(done.stdout)["scenarios"]
    claims = [claim for chapter in scenario["chapters"] for claim in chapter["claims"]]
    (broken,) = [claim["sentence"] for claim in claims if not claim["held"]]
    assert broken.startswith("hello reports its traffic: 100 % to hello-00001; want 99 %")
    assert scenario["finished"]
    assert scenario["requests"] == 60
    assert ET.parse(files[0]).getroot().get("failures") == "1"
    assert "99 % to hello-00001" in files[1].read_text()
    assert "$ knary rollback hello" in done.stderr


CLUSTER_STORY = f"""
title: As on a cluster
steps:
- apply:
    manifest:
      apiVersion: serving.knative.dev/v1
      kind: Service
      metadata: {{name: hello, annotations: {{knary.dev/splitter: random}}}}
      spec:
        template:
          spec:
            containers: [{{image: {HELLO}, env: [{{name: TARGET, value: One}}]}}]
- wait: {{service: hello}}
- command: knary service update hello --env TARGET=Two --traffic hello-00001=80,@latest=20
- load: {{service: hello, requests: 3000, connections: 8}}
- expect:
    answers:
      split: {{hello-00001: 80, hello-00002: 20}}
      within: 5
      say: {{hello-00001: Hello One!, hello-00002: Hello Two!}}
- command: knary status
- expect: {{log: {{of: hello, contains: anything}}}}
- rollback: hello
- load: {{service: hello, requests: 50}}
- expect: {{answers: {{none_to: [hello-00002]}}}}
"""


def test_a_story_needs_no_more_than_a_kubeconfig_and_a_gateway(tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(CLUSTER_STORY)
    with Instance() as knary:
        done = subprocess.run(
            [
                *(*KNARY, "run", str(story), "--json", "-", "--context", "knary"),
                *("--kubeconfig", str(knary.paths.kubeconfig)),
                *("--gateway", knary.description.gateway),
            ],
            env=environment(tmp_path / "nothing-runs-here"),
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (scenario,) = json.loads(done.stdout)["scenarios"]
    claims = [claim for chapter in scenario["chapters"] for claim in chapter["claims"]]
    skipped = [claim["sentence"] for claim in claims if claim["skipped"]]
    assert skipped == [
        "an exact count is knary's to promise",
        "`knary status` asks knary itself",
        "logs are read from knary's files",
    ]
    assert any("as asked (false alarm" in claim["sentence"] for claim in claims)


def test_a_story_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    story.write_text("title: Long\nsteps:\n- command: knary status\n- wait: 1h\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [*KNARY, "run", "--up", str(story)],
        env={**environment(tmp_path / "data"), "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        text=True,
    ) as playing:
        assert playing.stdout is not None
        for line in playing.stdout:
            if line.strip() == "Wait 1h.":
                break
        (found,) = (descriptions.read(path) for path in scratch.glob("*/run/instance.json"))
        assert found is not None
        playing.kill()
    eventually("the end of its knary", lambda: not is_alive(found.pid))
