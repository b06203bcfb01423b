"""What a digest stands for, kept in Images: a revision goes on running what it was made with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.controllers.revision import RevisionController
from simulator.imagecache import pinned, program_of
from simulator.images import ImageMap, ImageRule, Program, image_digest
from simulator.reconciling.plan import Create, Plan, Update, UpdateStatus
from simulator.resources.caching import ANNOTATION_PROGRAM, ANNOTATION_REFERENCE, Image, ImageSpec
from simulator.resources.core import ConfigMap, Pod
from simulator.resources.meta import is_controlled_by
from simulator.resources.serving import ContainerDigest, Revision, RevisionStatus
from tests.support.world import NOW, World, meta, owned, pod, revision, template

IMAGES = ImageMap((ImageRule("registry.example/*", Program(command=("true",))),))
CONTROLLER = RevisionController(lambda: IMAGES)
DIGESTS = (ContainerDigest("user-container", "registry.example/helloworld-go@sha256:" + "0" * 64),)
HELLO = revision(digests=DIGESTS)


def status_of(made: Plan) -> RevisionStatus:
    (found,) = (one.object for one in made.actions if isinstance(one, UpdateStatus))
    assert isinstance(found, Revision)
    return found.status


def created(made: Plan) -> list[Pod]:
    return [
        one.object
        for one in made.actions
        if isinstance(one, Create) and isinstance(one.object, Pod)
    ]


PROGRAM = Program(command=("serve", "first"))
TAGGED = "registry.example/app:1"


def cached(made: Plan) -> list[Image]:
    return [
        one.object
        for one in made.actions
        if isinstance(one, Create) and isinstance(one.object, Image)
    ]


def with_images(program: Program, *objects: Any, of: Revision) -> Plan:
    """Return the plan where `TAGGED` stands for that program."""
    images = ImageMap((ImageRule(TAGGED, program),))
    controller = RevisionController(lambda: images)
    observed = controller.observe(World(of, *objects), of.key)
    assert observed is not None
    return controller.plan(observed, NOW)


def test_what_a_digest_stands_for_is_kept_in_an_image() -> None:
    made = with_images(PROGRAM, of=revision(spec=template(TAGGED).spec))
    digest = image_digest(TAGGED, PROGRAM)
    (image,) = cached(made)
    assert image.metadata.name == "hello-00001-cache-user-container"
    assert image.spec.image == digest
    assert image.metadata.annotations[ANNOTATION_REFERENCE] == TAGGED
    assert program_of(image) == PROGRAM
    assert is_controlled_by(image, HELLO)
    (replica,) = created(made)
    assert [one.image for one in replica.spec.containers] == [digest]
    assert made.actions.index(Create(image)) < made.actions.index(Create(replica)), (
        "whoever sees the Pod knows what it runs"
    )


def test_an_image_by_the_digest_of_another_revision_runs_what_that_one_runs() -> None:
    (image,) = cached(with_images(PROGRAM, of=revision(spec=template(TAGGED).spec)))
    digest = image_digest(TAGGED, PROGRAM)
    pinned = revision("hello-00002", generation=2, spec=template(digest).spec)
    other = Program(command=("serve", "second"))
    made = with_images(other, image, of=pinned)
    assert [one.image_digest for one in status_of(made).container_statuses] == [digest]
    assert [program_of(one) for one in cached(made)] == [PROGRAM]
    tagged = revision("hello-00003", generation=3, spec=template(TAGGED).spec)
    made = with_images(other, image, of=tagged)
    assert [one.image_digest for one in status_of(made).container_statuses] != [digest]
    assert [program_of(one) for one in cached(made)] == [other]


def test_a_tag_of_a_registry_that_is_skipped_has_no_digest() -> None:
    image = "dev.local/app:1"
    images = ImageMap((ImageRule(image, PROGRAM),))
    controller = RevisionController(lambda: images)
    local = revision(spec=template(image).spec)
    observed = controller.observe(World(local), local.key)
    assert observed is not None
    made = controller.plan(observed, NOW)
    assert status_of(made).container_statuses == (ContainerDigest("user-container", ""),)
    assert [one.spec.image for one in cached(made)] == [image]
    assert created(made)[0].spec.containers[0].image == image


def test_an_image_that_was_lost_is_made_again_if_its_digest_still_says_the_same() -> None:
    digest = image_digest(TAGGED, PROGRAM)
    known = revision(
        spec=template(TAGGED).spec, digests=(ContainerDigest("user-container", digest),)
    )
    replica = pod("p", known)
    assert len(cached(with_images(PROGRAM, replica, of=known))) == 1
    assert cached(with_images(Program(command=("other",)), replica, of=known)) == []


def test_what_an_earlier_revision_of_its_name_left_behind_is_taken_over() -> None:
    of = revision(spec=template(TAGGED).spec)
    (image,) = cached(with_images(PROGRAM, of=of))
    left = owned(image, HELLO.with_metadata(uid="another")).with_metadata(uid="left")
    made = with_images(Program(command=("other",)), left, of=of)
    (update,) = (one for one in made.actions if isinstance(one, Update))
    assert isinstance(update.object, Image)
    assert (update.object.uid, update.object.key) == (left.uid, left.key)
    assert is_controlled_by(update.object, of)
    assert program_of(update.object) == Program(command=("other",))


def test_a_digest_once_found_is_never_asked_for_again() -> None:
    def no_images() -> ImageMap:
        raise AssertionError("asked")

    controller = RevisionController(no_images)
    image = owned(Image(meta("hello-00001-cache-user-container")), HELLO)
    observed = controller.observe(World(HELLO, image), HELLO.key)
    assert observed is not None
    assert status_of(controller.plan(observed, NOW)).container_statuses == DIGESTS


def test_only_an_image_that_is_gone_wakes_its_revision() -> None:
    image = owned(Image(meta("hello-00001-cache-user-container")), HELLO)
    assert CONTROLLER.wakes(image, World(image)) == ()
    assert CONTROLLER.wakes(image, World()) == (HELLO.key,)


def config_map(name: str, **data: str) -> ConfigMap:
    settings = {key.replace("_", "-"): text for key, text in data.items()}
    return ConfigMap(meta(name, namespace="knative-serving"), data=settings)


def test_the_operator_says_for_how_long_it_may_start_and_where_its_logs_are() -> None:
    deadline = config_map("config-deployment", queue_sidecar_image="x", progress_deadline="60s")
    logs = ConfigMap(
        meta("config-observability", namespace="knative-serving"),
        data={"logging.revision-url-template": "http://logs/${REVISION_UID}"},
    )
    image = owned(Image(meta("hello-00001-cache-user-container")), HELLO)
    observed = CONTROLLER.observe(World(HELLO, pod("p", HELLO), image, deadline, logs), HELLO.key)
    assert observed is not None
    made = CONTROLLER.plan(observed, NOW)
    assert made.requeue_after_s == pytest.approx(61.0)
    assert status_of(made).log_url == f"http://logs/{HELLO.uid}"
    world = World(HELLO, deadline)
    assert CONTROLLER.wakes(deadline, world) == (HELLO.key,)
    assert CONTROLLER.wakes(config_map("config-network"), world) == ()


def test_of_several_images_the_oldest_tells_what_a_digest_stands_for() -> None:
    def image(name: str, program: Program, at: str, reference: str = "a@sha256:1") -> Image:
        told = {ANNOTATION_PROGRAM: msgspec.json.encode(program).decode()}
        made = meta(name, annotations=told, creation_timestamp=at)
        return Image(made, spec=ImageSpec(image=reference))

    first, second = Program(command=("first",)), Program(command=("second",))
    assert pinned(
        (
            image("young", second, "2026-02-02T00:00:00Z"),
            image("old", first, "2026-01-01T00:00:00Z"),
            image("a tag", second, "2025-01-01T00:00:00Z", "a:1"),
            Image(meta("silent"), spec=ImageSpec(image="b@sha256:1")),
        )
    ) == {"a@sha256:1": first}
    broken = meta("broken", annotations={ANNOTATION_PROGRAM: "{"})
    assert program_of(Image(broken)) is None
