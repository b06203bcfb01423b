"""What of a scenario a real Knative cluster can play, and why the rest is left out. Pure.

A cluster has the same API and a gateway, but no splitter whose turns are proven, no header that
says which revision answered (serving issue 13149), and nobody who answers for knary itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from msgspec import structs

from simulator.load.plan import Answer
from simulator.scenario import model
from simulator.scenario.model import AnswersClaim

# The commands that ask nothing but the Kubernetes API.
COMMANDS = frozenset(
    {
        *(
            "apply",
            "delete",
            "describe",
            "domain",
            "get",
            "ksvc",
            "revision",
            "revisions",
            "rollback",
        ),
        *("route", "routes", "service", "services", "assert-split", "url", "curl", "load"),
    }
)


def why_not(action: model.Action) -> str:
    """Return why a cluster cannot play a step; "" when it can."""
    match action:
        case model.Command(run=run):
            word = next((word for word in shlex.split(run)[1:] if not word.startswith("-")), "")
            return "" if word in COMMANDS else f"`knary {word}` asks knary itself"
        case model.Fault():
            return "faults are done by knary's gateway"
        case model.Expect(log=log) if log is not None:
            return "logs are read from knary's files"
        case _:
            return ""


def without_exactness(claim: AnswersClaim) -> tuple[AnswersClaim, list[str]]:
    """Return what is left of a claim where nobody knows the splitter, and what is not."""
    left_out = []
    if claim.order:
        left_out.append("the order of turns is knary's to promise")
    if claim.within is not None:
        left_out.append("an exact count is knary's to promise")
    return structs.replace(claim, order="", within=None, splitter="unknown"), left_out


def sayings(scenario: model.Scenario) -> dict[str, str]:
    """Return which revision says what, by text, as the scenario's `say` claims have it.

    A text that two revisions are to say tells nothing.
    """
    said: dict[str, set[str]] = {}
    for step in scenario.all_steps:
        if isinstance(step.action, model.Expect) and step.action.answers is not None:
            for revision, text in step.action.answers.say.items():
                said.setdefault(text, set()).add(revision)
    return {text: next(iter(names)) for text, names in said.items() if len(names) == 1}


def named(answers: Sequence[Answer], said: Mapping[str, str]) -> list[Answer]:
    """Return the answers with the revisions that their texts tell."""
    return [
        structs.replace(answer, revision=said.get(answer.revision, answer.revision))
        for answer in answers
    ]
