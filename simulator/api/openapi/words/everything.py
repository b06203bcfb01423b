"""All meanings in one table."""

from __future__ import annotations

from simulator.api.openapi.words.core import CORE
from simulator.api.openapi.words.faults import FAULTS
from simulator.api.openapi.words.meaning import Meanings
from simulator.api.openapi.words.meta import META
from simulator.api.openapi.words.networking import NETWORKING
from simulator.api.openapi.words.podparts import PODPARTS
from simulator.api.openapi.words.podspec import PODSPEC
from simulator.api.openapi.words.reviews import REVIEWS
from simulator.api.openapi.words.serving import SERVING
from simulator.api.openapi.words.workloads import WORKLOADS

MEANINGS: Meanings = {
    **META,
    **PODPARTS,
    **PODSPEC,
    **SERVING,
    **NETWORKING,
    **FAULTS,
    **CORE,
    **WORKLOADS,
    **REVIEWS,
}
