"""The Images of a revision, one per container: what its digests stand for, kept as long as it is.

Source: knative/serving `pkg/reconciler/revision/resources/imagecache.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from simulator.controllers.podtemplate import annotations_of, labels_of
from simulator.imagecache import annotations_of as told_of
from simulator.images import ImageMap, Program, image_digest
from simulator.reconciling.plan import Create, Update
from simulator.resources.caching import Image, ImageSpec
from simulator.resources.meta import (
    ObjectMeta,
    child_name,
    controller_reference,
    is_controlled_by,
)
from simulator.resources.podspec import Container
from simulator.resources.serving import ContainerDigest, Revision, RevisionStatus


class Registry(Struct, frozen=True):
    """What is known of images: the map in force, what digests stand for, what needs no digest."""

    images: ImageMap = ImageMap()
    pinned: Mapping[str, Program] = {}
    skipping: frozenset[str] = frozenset()  # registries whose tags are taken as they are

    def program(self, reference: str) -> Program | None:
        """Return what runs for a reference, or None."""
        return self.images.resolve(reference, self.pinned)

    def digest(self, reference: str, program: Program) -> str:
        """Return `name@sha256:HEX`; "" for a tag of a registry whose tags are not resolved."""
        if "@" not in reference and registry_of(reference) in self.skipping:
            return ""
        return image_digest(reference, program)


def registry_of(reference: str) -> str:
    """Return the registry's host of an image reference (go-containerregistry `name.NewTag`)."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first) else "index.docker.io"


def containers_of(revision: Revision) -> tuple[Container, ...]:
    """Return all that have an image, in the order of the two lists in its status."""
    return (*revision.spec.containers, *revision.spec.init_containers)


def image_names(revision: Revision) -> tuple[str, ...]:
    """Return the names of its Images, in that order."""
    cache = child_name(revision.metadata.name, "-cache")
    return tuple(child_name(cache, f"-{one.name}") for one in containers_of(revision))


def resolve(revision: Revision, registry: Registry) -> tuple[ContainerDigest, ...] | Container:
    """Return the digests of all containers' images, or the first container without a program."""
    resolved = []
    for container in containers_of(revision):
        program = registry.program(container.image)
        if program is None:
            return container
        digest = registry.digest(container.image, program)
        resolved.append(ContainerDigest(container.name, digest))
    return tuple(resolved)


def missing_images(
    revision: Revision, status: RevisionStatus, found: Sequence[Image], registry: Registry
) -> Iterator[Create | Update]:
    """Yield what makes the Images for the digests that the status has.

    One that an earlier revision of this name left behind is taken over. One that was lost is made
    anew only if its digest still is that of the program.
    """
    by_name = {image.metadata.name: image for image in found}
    digests = (*status.container_statuses, *status.init_container_statuses)
    for name, container, known in zip(
        image_names(revision), containers_of(revision), digests, strict=True
    ):
        there = by_name.get(name)
        program = registry.program(container.image)
        if program is None or (there is not None and is_controlled_by(there, revision)):
            continue
        if known.image_digest not in ("", registry.digest(container.image, program)):
            continue
        image = known.image_digest or container.image
        made = _make(revision, name, image, told_of(container.image, program))
        if there is None:
            yield Create(made)
        else:
            version = there.metadata.resource_version
            yield Update(made.with_metadata(uid=there.uid, resource_version=version))


def has_images(revision: Revision, found: Sequence[Image]) -> bool:
    """Tell whether none of its Images is missing."""
    ours = {one.metadata.name for one in found if is_controlled_by(one, revision)}
    return ours.issuperset(image_names(revision))


def _make(revision: Revision, name: str, image: str, told: dict[str, str]) -> Image:
    spec = revision.spec
    return Image(
        metadata=ObjectMeta(
            name=name,
            namespace=revision.metadata.namespace,
            labels=labels_of(revision),
            annotations=annotations_of(revision) | told,
            owner_references=(controller_reference(revision),),
        ),
        spec=ImageSpec(
            image=image,
            service_account_name=spec.service_account_name,
            image_pull_secrets=spec.image_pull_secrets,
        ),
    )
