"""A name outlives an object: what was true of an earlier one is not of the one that has it now."""

from __future__ import annotations

from simulator.resources.core import Pod
from simulator.resources.networking import Ingress
from simulator.resources.serving import LABEL_REVISION, LABEL_REVISION_UID, Revision
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import Programmed, TableCompiler, Verdict, Waiting
from tests.support.traffic import ingress, pod, revision


def compiled(*objects: Pod | Revision | Ingress) -> TableCompiler:
    made = TableCompiler(TrafficSettings())
    for one in objects:
        match one:
            case Pod():
                made.put_pod(one)
            case Revision():
                made.put_revision(one)
            case Ingress():
                made.put_ingress(one)
    made.compile(1)
    return made


def verdict_of(made: TableCompiler, uid: str = "uid-hello") -> Verdict | None:
    """Return what was made of the Ingress `hello`."""
    return made.verdict(ingress("hello", {}, uid=uid))


def test_what_was_made_of_an_ingress_says_nothing_about_a_later_one_of_its_name() -> None:
    # The store has the new one already, the compiler was not told yet: it must not be called Ready.
    made = compiled(pod("a", 1), ingress("hello", {"a": 100}))
    assert isinstance(verdict_of(made), Programmed)
    assert verdict_of(made, "another") is None


def test_a_replica_of_an_earlier_revision_of_the_name_gets_no_request() -> None:
    def replica(uid: str, port: int) -> Pod:
        labels = {LABEL_REVISION: "a", LABEL_REVISION_UID: uid}
        return pod("a", port).with_metadata(labels=labels)

    again = revision("a").with_metadata(uid="uid-again")
    made = compiled(again, replica("uid-a", 1), ingress("hello", {"a": 100}))
    assert verdict_of(made) == Waiting(1, ("default/a",))
    made.put_pod(replica("uid-again", 2))
    assert made.compile(2).table.backends["default/a"].addresses == ("127.0.0.1:2",)
    assert isinstance(verdict_of(made), Programmed)
    # The replica goes on while the revision is deleted and made anew under its name.
    made.put_revision(revision("a").with_metadata(uid="uid-third"))
    assert made.compile(3).table.backends["default/a"].addresses == ()
