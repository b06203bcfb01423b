"""One object of a manifest: what the API would say of it, at the lines where it says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from simulator.admission.core_defaulting import with_core_defaults
from simulator.admission.core_validation import bad_base64, validate_core
from simulator.admission.defaulting import with_defaults
from simulator.admission.fielderrors import merged
from simulator.admission.metadata_validation import validate_generic_metadata
from simulator.admission.settings import STOCK
from simulator.admission.validation import validate
from simulator.config.current import check, is_config
from simulator.config.parsing import ConfigError
from simulator.errors import ApiError
from simulator.linting.findings import Finding
from simulator.resources.core import ConfigMap
from simulator.resources.decoding import examine
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo
from simulator.resources.serving import Route, Service, TrafficTarget
from simulator.resources.strictyaml import Place, Places

USER = "knary-lint"
DEFAULT_IS_INSECURE = "Kubernetes default value is insecure"


class ObjectCheck:
    """Looks at one document of a file. `places` are of its values, by paths from `$`."""

    def __init__(self, file: str, places: Places) -> None:
        self._file = file
        self._places = places

    def findings(self, document: Mapping[str, Any], info: KindInfo) -> Iterator[Finding]:
        """Yield all that is wrong with it, and advice."""
        examined = examine(dict(document), info)
        for field in examined.unknown_fields:
            yield self._at(field, "error", f"unknown field: {field}")
        try:
            new = examined.object()
        except ApiError as error:
            yield self._at(_field_in(str(error)), "error", str(error))
            return
        defaulted = with_core_defaults(with_defaults(new, None, USER, STOCK))
        if why := bad_base64(new):
            yield self._at("data", "error", why)
        for field, _, message in (
            *validate_generic_metadata(defaulted),
            *validate_core(defaulted, None),
        ):
            yield self._at(field, "error", f"{field}: {message}")
        if isinstance(defaulted, ConfigMap) and is_config(defaulted):
            try:
                check(defaulted)
            except ConfigError as error:
                yield self._at("data", "error", str(error))
        for complaint in merged(validate(defaulted, None, STOCK)):
            if complaint.is_warning and complaint.message.startswith(DEFAULT_IS_INSECURE):
                continue  # Knative says so of every container that says nothing: it is no finding
            level: Literal["error", "advice"] = "advice" if complaint.is_warning else "error"
            first = complaint.paths[0] if complaint.paths else ""
            yield self._at(first, level, " ".join(complaint.text().split()))
        yield from self._advice(new)

    def _advice(self, new: Resource) -> Iterator[Finding]:
        if isinstance(new, Service | Route):
            yield from self._traffic_advice(new.spec.traffic)

    def _traffic_advice(self, traffic: tuple[TrafficTarget, ...]) -> Iterator[Finding]:
        for index, target in enumerate(traffic):
            at = f"spec.traffic[{index}]"
            if not target.percent and not target.tag:
                yield self._at(
                    at, "advice", "this entry has neither a percent nor a tag: it does nothing"
                )
            elif target.latest_revision and 0 < (target.percent or 0) < 100:
                share = f"{target.percent} % go to whichever revision is the newest"
                yield self._at(
                    at, "advice", f"{share}: the next change of the template takes them; name one"
                )

    def _at(self, field: str, level: Literal["error", "advice"], message: str) -> Finding:
        place = self._place(field)
        return Finding(self._file, place.line, place.column, level, message)

    def _place(self, field: str) -> Place:
        """Return where a field is, or the nearest thing around it that is written."""
        path = f"$.{field}" if field else "$"
        while path != "$":
            for written in (f"{path} key", path):
                if written in self._places:
                    return self._places[written]
            path = re.sub(r"(\.[^.\[\]]*|\[[^\]]*\])$", "", path) or "$"
        return self._places.get("$", Place(1, 1))


def _field_in(message: str) -> str:
    """Return the field that a refusal of the decoder is about; "" when it names none."""
    match = re.search(r"field \S*?\.([\w.\[\]]+) of type|: ([\w.\[\]]+): ", message)
    return (match[1] or match[2]) if match else ""
