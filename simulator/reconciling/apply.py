"""Carries out a plan: its actions are submitted in order and committed together."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from enum import Enum, auto
from typing import assert_never

from simulator.errors import AlreadyExists, ApiError, Conflict, NotFound
from simulator.reconciling import recording
from simulator.reconciling.bus import Bus
from simulator.reconciling.plan import Action, Create, Delete, Plan, Record, Update, UpdateStatus
from simulator.resources.core import Event
from simulator.store.transitions import DeleteOptions

_log = logging.getLogger(__name__)


class Outcome(Enum):
    """What the loop does with the key next."""

    DONE = auto()
    LOOK_AGAIN = auto()  # the plan was made on a state that is no more
    BACK_OFF = auto()


async def apply(bus: Bus, plan: Plan, component: str, now: datetime) -> Outcome:
    """Carry out the plan. Never raise for a refusal.

    Actions start in order, without waiting for the commit of the one before, so that they share
    one. None starts after one that was refused on the spot; but a refusal that rests on a write
    still under way comes later. So each action must do no harm without those before it.
    """
    refusals: list[ApiError] = []

    async def carry_out(action: Action) -> None:
        if refusals:
            return
        try:
            await _submit(bus, action, component, now)
        except ApiError as error:
            refusals.append(error)

    if len(plan.actions) == 1:
        await carry_out(plan.actions[0])
    elif plan.actions:
        await asyncio.gather(*(carry_out(action) for action in plan.actions))
    if not refusals:
        return Outcome.DONE
    _log.debug("%s: the plan was not carried out: %s", component, refusals[0])
    if isinstance(refusals[0], (Conflict, NotFound)):
        return Outcome.LOOK_AGAIN
    if not isinstance(refusals[0], AlreadyExists):
        _log.warning("%s: a write failed: %s", component, refusals[0])
    return Outcome.BACK_OFF


async def _submit(bus: Bus, action: Action, component: str, now: datetime) -> None:
    match action:
        case Create():
            await bus.create(action.object, component)
        case Update():
            await bus.update(action.object, component)
        case UpdateStatus():
            await bus.update_status(action.object, component)
        case Delete():
            options = DeleteOptions(propagation=action.propagation, uid=action.object.uid)
            try:
                await bus.delete(type(action.object), action.object.key, options)
            except NotFound:
                return
        case Record():
            await _record(bus, action, component, now)
        case _:
            assert_never(action)


async def _record(bus: Bus, record: Record, component: str, now: datetime) -> None:
    """Record an Event. It is a note to a reader: one that cannot be stored fails nothing."""
    key = recording.key_of(record)
    known = bus.get(Event, key.namespace, key.name)
    try:
        if known is None:
            await bus.create(recording.first(record, component, now), component)
        else:
            await bus.update(recording.once_more(known, now), component)
    except ApiError as error:
        _log.debug("%s: an event was not recorded: %s", component, error)
