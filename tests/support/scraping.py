"""A running knary's /metrics, as Prometheus would get and read it."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from prometheus_client.openmetrics import parser

from tests.support.instance import Instance

Series = dict[tuple[str, ...], float]


def scraped(knary: Instance) -> Series:
    """Return every sample by its name and label values, as Prometheus would."""
    parts = urlsplit(knary.description.console)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20.0)
    token = knary.paths.token.read_text().strip()
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/openmetrics-text;version=1.0.0",
    }
    try:
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
    finally:
        connection.close()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(series: Series, name: str, *labels: str) -> float:
    """Add up the samples of that name that have all these label values."""
    return sum(v for key, v in series.items() if key[0] == name and set(labels) <= set(key))
