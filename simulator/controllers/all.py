"""All controllers of an instance, in the order of a manifest's journey."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.controllers.configuration import ConfigurationController
from simulator.controllers.deployment import DeploymentController
from simulator.controllers.domainmapping import DomainMappingController
from simulator.controllers.endpoints import EndpointsController
from simulator.controllers.endpointslices import (
    EndpointSliceController,
    EndpointSliceMirroringController,
)
from simulator.controllers.events import EventController
from simulator.controllers.garbage import FAMILY, GarbageController
from simulator.controllers.labeler import LabelerController
from simulator.controllers.namespaces import NamespaceController
from simulator.controllers.podevents import PodEventController
from simulator.controllers.retention import RetentionController
from simulator.controllers.revision import RevisionController
from simulator.controllers.revisionservices import RevisionServiceController
from simulator.controllers.route import RouteController
from simulator.controllers.service import ServiceController
from simulator.controllers.serviceaccounts import ServiceAccountController
from simulator.controllers.settings import ControllerSettings
from simulator.images import ImageMap
from simulator.reconciling.plan import Controller


def build(
    settings: ControllerSettings, images: Callable[[], ImageMap]
) -> tuple[Controller[Any], ...]:
    """Return every controller, wired; `images` gives the map of images as it is now."""
    return (
        ServiceController(),
        ConfigurationController(),
        RevisionController(images, settings),
        RouteController(settings),
        LabelerController(),
        DeploymentController(),
        RevisionServiceController(),
        EndpointsController(),
        EndpointSliceController(),
        EndpointSliceMirroringController(),
        DomainMappingController(),
        *(GarbageController(kind) for kind in FAMILY),
        RetentionController(),
        NamespaceController(),
        ServiceAccountController(),
        EventController(settings),
        PodEventController(settings),
    )
