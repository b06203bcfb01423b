"""Every reason that Knative has to refuse an object, all at once.

Sources: knative/serving `pkg/apis/serving/v1/{service,configuration,route,revision}_validation.go`.
"""

from __future__ import annotations

from simulator.admission.autoscaling_validation import (
    validate_autoscaling,
    validate_no_autoscaling,
)
from simulator.admission.domain_validation import (
    validate_domain_claim,
    validate_domain_mapping,
)
from simulator.admission.fault_validation import validate_fault
from simulator.admission.fielderrors import NONE, Errors, generic, via_field
from simulator.admission.ingress_admission import validate_ingress
from simulator.admission.metadata_validation import (
    validate_creator_and_modifier,
    validate_name,
    validate_networking,
    validate_owner_label,
    validate_progress_deadline,
    validate_queue_sidecar,
    validate_revision_name,
    validate_rollout_duration,
    validate_splitter,
)
from simulator.admission.podspec_validation import validate_revision_spec
from simulator.admission.settings import Defaults
from simulator.admission.shortdiff import revision_spec_diff, template_diff
from simulator.admission.traffic_validation import (
    validate_route_traffic,
    validate_service_traffic,
    validate_traffic_percent,
)
from simulator.resources.domainmapping import ClusterDomainClaim, DomainMapping
from simulator.resources.faults import Fault
from simulator.resources.meta import ObjectMeta, Resource
from simulator.resources.networking import Ingress
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    LABEL_SERVICE,
    Configuration,
    Revision,
    RevisionTemplate,
    Route,
    Service,
)


def validate(new: Resource, old: Resource | None, defaults: Defaults) -> Errors:
    """Return what is wrong with a defaulted object; `old` is what it would replace."""
    match new:
        case Service():
            return _validate_service(new, old if isinstance(old, Service) else None, defaults)
        case Configuration():
            known = old if isinstance(old, Configuration) else None
            return _validate_configuration(new, known, defaults)
        case Route():
            return _validate_route(new, old if isinstance(old, Route) else None)
        case Revision():
            return _validate_revision(new, old if isinstance(old, Revision) else None, defaults)
        case DomainMapping():
            return validate_domain_mapping(new, old if isinstance(old, DomainMapping) else None)
        case Ingress():
            return validate_ingress(new)
        case ClusterDomainClaim():
            return validate_domain_claim(new)
        case Fault():
            return validate_fault(new)
        case _:
            return NONE


def _validate_service(new: Service, old: Service | None, defaults: Defaults) -> Errors:
    annotations = new.metadata.annotations
    errors = via_field(
        validate_name(new.metadata)
        + via_field(
            validate_no_autoscaling(annotations)
            + validate_rollout_duration(annotations)
            + validate_splitter(annotations)
            + validate_traffic_percent(annotations, new.spec.traffic),
            "annotations",
        ),
        "metadata",
    )
    errors += via_field(
        _validate_template(new.spec.template, new.metadata, defaults)
        + validate_service_traffic(new.spec.traffic),
        "spec",
    )
    if old is None:
        return errors
    errors += _validate_signature(new, old)
    return errors + _verify_name_change(new.spec.template, old.spec.template)


def _validate_configuration(
    new: Configuration, old: Configuration | None, defaults: Defaults
) -> Errors:
    errors = via_field(
        validate_name(new.metadata)
        + via_field(validate_no_autoscaling(new.metadata.annotations), "annotations")
        + via_field(validate_owner_label(new.metadata, LABEL_SERVICE, "Service"), "labels"),
        "metadata",
    )
    errors += via_field(_validate_template(new.spec.template, new.metadata, defaults), "spec")
    if old is None:
        return errors
    # The service controller copies its Service's annotations: they are checked there.
    if not new.metadata.owner_references:
        errors += _validate_signature(new, old)
    return errors + _verify_name_change(new.spec.template, old.spec.template)


def _validate_route(new: Route, old: Route | None) -> Errors:
    annotations = new.metadata.annotations
    errors = via_field(
        validate_name(new.metadata)
        + via_field(
            validate_no_autoscaling(annotations)
            + validate_rollout_duration(annotations)
            + validate_splitter(annotations)
            + validate_traffic_percent(annotations, new.spec.traffic),
            "annotations",
        )
        + via_field(validate_owner_label(new.metadata, LABEL_SERVICE, "Service"), "labels"),
        "metadata",
    )
    errors += via_field(validate_route_traffic(new.spec.traffic), "spec")
    if old is not None and not new.metadata.owner_references:
        errors += _validate_signature(new, old)
    return errors


def _validate_revision(new: Revision, old: Revision | None, defaults: Defaults) -> Errors:
    errors = via_field(
        validate_name(new.metadata)
        + via_field(validate_autoscaling(new.metadata.annotations, defaults), "annotations")
        + via_field(
            validate_owner_label(new.metadata, LABEL_CONFIGURATION, "Configuration"), "labels"
        ),
        "metadata",
    )
    if old is None:
        return errors + via_field(validate_revision_spec(new.spec, defaults), "spec")
    if diff := revision_spec_diff(old.spec, new.spec):
        # As in Knative, nothing else is worth saying then.
        return generic("Immutable fields changed (-old +new)", "spec", details=diff)
    return errors


def _validate_template(
    template: RevisionTemplate, parent: ObjectMeta, defaults: Defaults
) -> Errors:
    annotations = template.metadata.annotations
    errors = via_field(validate_revision_spec(template.spec, defaults), "spec")
    errors += via_field(
        validate_autoscaling(annotations, defaults)
        + validate_networking(annotations)
        + validate_queue_sidecar(annotations)
        + validate_progress_deadline(annotations),
        "metadata.annotations",
    )
    errors += validate_revision_name(template.metadata, parent)
    return via_field(errors, "template")


def _validate_signature(
    new: Service | Configuration | Route, old: Service | Configuration | Route
) -> Errors:
    errors = validate_creator_and_modifier(
        old.metadata.annotations, new.metadata.annotations, lambda: old.spec != new.spec
    )
    return via_field(errors, "metadata.annotations")


def _verify_name_change(new: RevisionTemplate, old: RevisionTemplate) -> Errors:
    """Return the refusal of a changed template that keeps the name of its revision."""
    if not new.metadata.name or new.metadata.name != old.metadata.name:
        return NONE
    diff = template_diff(old, new)
    if not diff:
        return NONE
    message = "Saw the following changes without a name change (-old +new)"
    return via_field(generic(message, "metadata.name", details=diff), "spec.template")
