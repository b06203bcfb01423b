"""Configuration → one Revision per generation; which is the latest created, the latest ready.

Sources: knative/serving `pkg/reconciler/configuration`, `v1/configuration_lifecycle.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.admission.defaulting import with_defaults
from simulator.admission.metadata_validation import validate_generic_metadata
from simulator.admission.settings import STOCK, Defaults, defaults_of
from simulator.config.current import config_of
from simulator.errors import Invalid
from simulator.reconciling.plan import Action, Create, Plan, Record, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import FALSE, READY, TRUE, find
from simulator.resources.lifecycle import Conditions, ConditionSet
from simulator.resources.meta import (
    Key,
    ObjectMeta,
    Resource,
    child_name,
    controller_reference,
    is_controlled_by,
    timestamp,
)
from simulator.resources.serving import (
    ANNOTATION_CREATOR,
    ANNOTATION_LAST_MODIFIER,
    ANNOTATION_ROUTES,
    ANNOTATION_ROUTING_STATE_MODIFIED,
    GROUP,
    LABEL_CONFIGURATION,
    LABEL_CONFIGURATION_GENERATION,
    LABEL_CONFIGURATION_UID,
    LABEL_ROUTING_STATE,
    LABEL_SERVICE,
    LABEL_SERVICE_UID,
    ROUTING_ACTIVE,
    ROUTING_PENDING,
    Configuration,
    ConfigurationStatus,
    Revision,
)

CONDITIONS = ConditionSet()


class Observed(Struct, frozen=True):
    """A Configuration, the revisions labelled with it, and the one that its template names.

    `defaults` are the operator's, for a new revision.
    """

    configuration: Configuration
    revisions: tuple[Revision, ...] = ()
    named: Revision | None = None
    defaults: Defaults = STOCK


class ConfigurationController:
    """Gives every generation of a Configuration its Revision."""

    name = "configuration"
    kind: type[Resource] = Configuration
    watches: tuple[type[Resource], ...] = (Revision,)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        if isinstance(changed, Configuration):
            return (changed.key,)
        name = changed.metadata.labels.get(LABEL_CONFIGURATION)
        return (Key(changed.metadata.namespace, name),) if name else ()

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        configuration = reader.get(Configuration, *key)
        if configuration is None or configuration.is_deleting:
            return None
        labels = {LABEL_CONFIGURATION: key.name}
        name = configuration.spec.template.metadata.name
        return Observed(
            configuration=configuration,
            revisions=tuple(reader.list(Revision, key.namespace, labels)),
            named=reader.get(Revision, key.namespace, name) if name else None,
            defaults=defaults_of(config_of(reader)),
        )

    def plan(self, observed: Observed, now: datetime) -> Plan:
        configuration = observed.configuration
        status = configuration.status
        conditions = CONDITIONS.begin(
            status.conditions, configuration.metadata.generation, status.observed_generation, now
        )
        actions: list[Action] = []
        latest_created = observed.named or revision_of_generation(observed.revisions, configuration)
        if observed.named is not None and not may_use(observed.named, configuration):
            message = (
                f'revisions.serving.knative.dev "{observed.named.metadata.name}" already exists'
            )
            mark_revision_creation_failed(conditions, message)
            return _write(configuration, status, conditions, actions)
        if latest_created is None:
            latest_created = make_revision(configuration, now, observed.defaults)
            if refused := why_refused(latest_created):
                mark_revision_creation_failed(conditions, refused)
                if not _says_already(configuration, conditions):
                    failed = f"Failed to create Revision: {refused}"
                    actions.append(Record(configuration, "Warning", "CreationFailed", failed))
                return _write(configuration, status, conditions, actions)
            actions.append(Create(latest_created))
            created = f'Created Revision "{latest_created.metadata.name}"'
            actions.append(Record(configuration, "Normal", "Created", created))
        status = _with_latest_created(status, latest_created, conditions)
        actions += _judge(configuration, latest_created, conditions)
        latest_ready = find_latest_ready(observed, latest_created)
        if latest_ready is not None:
            name = latest_ready.metadata.name
            if name != status.latest_ready_revision_name:
                updated = f'LatestReadyRevisionName updated to "{name}"'
                actions.append(Record(configuration, "Normal", "LatestReadyUpdate", updated))
            status = msgspec.structs.replace(status, latest_ready_revision_name=name)
            if name == status.latest_created_revision_name:
                conditions.mark_true(READY)
        return _write(configuration, status, conditions, actions)


def revision_of_generation(
    revisions: Sequence[Revision], configuration: Configuration
) -> Revision | None:
    """Return the Configuration's own revision of its present generation, if there is one."""
    wanted = str(configuration.metadata.generation)
    for revision in revisions:
        # One that an earlier Configuration of this name left behind is about to go.
        ours = is_controlled_by(revision, configuration)
        if ours and revision.metadata.labels.get(LABEL_CONFIGURATION_GENERATION) == wanted:
            return revision
    return None


def may_use(named: Revision, configuration: Configuration) -> bool:
    """Tell whether the revision that the template names is the one that it describes."""
    if not is_controlled_by(named, configuration):
        return False
    if _generation_of(named) == configuration.metadata.generation:
        return True
    return named.spec == configuration.spec.template.spec


def make_revision(
    configuration: Configuration, now: datetime, defaults: Defaults = STOCK
) -> Revision:
    """Return the Revision of the Configuration's present generation.

    The template's finalizers and owners come along, and what it leaves out is filled in as of any
    new revision.
    """
    template, meta = configuration.spec.template, configuration.metadata
    suffix = f"-{meta.generation:05d}"
    own = {
        LABEL_CONFIGURATION: meta.name,
        LABEL_SERVICE: meta.labels.get(LABEL_SERVICE, ""),
        LABEL_CONFIGURATION_GENERATION: str(meta.generation),
        LABEL_CONFIGURATION_UID: meta.uid,
        LABEL_SERVICE_UID: meta.labels.get(LABEL_SERVICE_UID, ""),
    }
    labels = template.metadata.labels | {label: value for label, value in own.items() if value}
    annotations = dict(template.metadata.annotations)
    if creator := meta.annotations.get(ANNOTATION_LAST_MODIFIER):
        annotations[ANNOTATION_CREATOR] = creator
    routes = meta.annotations.get(ANNOTATION_ROUTES)
    if routes is not None:
        annotations[ANNOTATION_ROUTES] = routes
    labels[LABEL_ROUTING_STATE] = ROUTING_PENDING if routes is None else ROUTING_ACTIVE
    annotations[ANNOTATION_ROUTING_STATE_MODIFIED] = timestamp(now)
    revision = Revision(
        metadata=ObjectMeta(
            name=template.metadata.name or child_name(meta.name, suffix),
            namespace=meta.namespace,
            labels=labels,
            annotations=annotations,
            finalizers=template.metadata.finalizers,
            owner_references=(
                *template.metadata.owner_references,
                controller_reference(configuration),
            ),
        ),
        spec=template.spec,
    )
    # Nobody asks for it: what a controller makes is signed by its parents.
    defaulted = with_defaults(revision, None, "", defaults)
    return defaulted if isinstance(defaulted, Revision) else revision


def why_refused(revision: Revision) -> str:
    """Return why an API server would not take the revision's metadata, "" if it would."""
    causes = validate_generic_metadata(revision)
    if not causes:
        return ""
    return str(Invalid.of(GROUP, Revision.KIND, revision.metadata.name, causes))


def find_latest_ready(observed: Observed, latest_created: Revision) -> Revision | None:
    """Return the newest ready revision, not older than the latest ready one known so far.

    A revision that the template names goes before all others, even an older one: a rollback.
    """
    configuration = observed.configuration
    named = configuration.spec.template.metadata.name
    known = next(
        (
            revision
            for revision in observed.revisions
            if revision.metadata.name == configuration.status.latest_ready_revision_name
        ),
        None,
    )
    oldest = _generation_of(known) if known is not None else 0
    allowed = [
        revision
        for revision in observed.revisions
        if is_controlled_by(revision, configuration)
        and (
            oldest <= _generation_of(revision)
            or (named and revision.metadata.name == latest_created.metadata.name)
        )
    ]
    allowed.sort(key=lambda one: (one.metadata.name == named, _generation_of(one)), reverse=True)
    return next((revision for revision in allowed if revision.is_ready), None)


def mark_latest_created_failed(conditions: Conditions, name: str, message: str) -> None:
    told = f'Revision "{name}" failed with message: {message}.'
    conditions.mark_false(READY, "RevisionFailed", told)


def mark_revision_creation_failed(conditions: Conditions, message: str) -> None:
    told = f"Revision creation failed with message: {message}."
    conditions.mark_false(READY, "RevisionFailed", told)


def _with_latest_created(
    status: ConfigurationStatus, latest_created: Revision, conditions: Conditions
) -> ConfigurationStatus:
    name = latest_created.metadata.name
    if status.latest_ready_revision_name != name:
        conditions.mark_unknown(READY)
    return msgspec.structs.replace(status, latest_created_revision_name=name)


def _judge(
    configuration: Configuration, latest_created: Revision, conditions: Conditions
) -> list[Action]:
    """Mark what the latest created revision says; return the Events about it."""
    ready = find(latest_created.status.conditions, READY)
    name = latest_created.metadata.name
    latest_ready = configuration.status.latest_ready_revision_name
    if ready is None:
        return []
    if ready.status == TRUE and not latest_ready:
        message = "Configuration becomes ready"
        return [Record(configuration, "Normal", "ConfigurationReady", message)]
    if ready.status != FALSE:
        return []
    mark_latest_created_failed(conditions, name, ready.message)
    if _says_already(configuration, conditions):
        return []
    if name == latest_ready:
        reason, message = "LatestReadyFailed", f'Latest ready revision "{name}" has failed'
    else:
        reason, message = "LatestCreatedFailed", f'Latest created revision "{name}" has failed'
    return [Record(configuration, "Warning", reason, message)]


def _says_already(configuration: Configuration, conditions: Conditions) -> bool:
    """Tell whether the status says of Ready what the conditions do."""
    before, after = find(configuration.status.conditions, READY), conditions.find(READY)
    return (
        before is not None
        and after is not None
        and (before.status, before.message) == (after.status, after.message)
    )


def _write(
    configuration: Configuration,
    status: ConfigurationStatus,
    conditions: Conditions,
    actions: list[Action],
) -> Plan:
    status = msgspec.structs.replace(
        status,
        conditions=conditions.result(),
        observed_generation=configuration.metadata.generation,
    )
    if status != configuration.status:
        actions.append(UpdateStatus(msgspec.structs.replace(configuration, status=status)))
    return Plan(tuple(actions))


def _generation_of(revision: Revision) -> int:
    text = revision.metadata.labels.get(LABEL_CONFIGURATION_GENERATION, "")
    return int(text) if text.isascii() and text.isdigit() else 0
