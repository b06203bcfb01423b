"""knary.dev: faults on demand."""

from __future__ import annotations

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import faults

FAULTS: Meanings = {
    faults.Fault: Meaning(
        "Something that goes wrong with a part of a service's requests, on purpose, until it is"
        " deleted.",
        {"spec": "What goes wrong, and for which requests."},
    ),
    faults.FaultSpec: Meaning(
        "What goes wrong, and for which requests.",
        {
            "service": "The service, in the fault's namespace. It need not exist yet.",
            "revision": "Only what this revision of it would answer.",
            "tag": "Only requests to the hosts of this tag.",
            "type": "latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data, abort"
            " or corrupt.",
            "stream": "downstream, on the way back (left out), or upstream, on the way to the"
            " revision; latency alone has both.",
            "toxicity": "How likely a request gets it, from 0 to 1; left out it is 1.",
            "attributes": "How much of it, by toxiproxy's names: milliseconds, bytes, KB per"
            " second.",
        },
    ),
}
