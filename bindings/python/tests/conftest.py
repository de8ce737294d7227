"""A deployment in a temporary folder, with people in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from buildly import Buildly, Group, Session
from buildly import open as open_buildly

PASSWORD = "Correct-horse-9-battery"


@dataclass
class World:
    """A deployment and who is in it."""

    buildly: Buildly
    ada: Session
    """A superuser, of Acme."""


@pytest.fixture
def world() -> Iterator[World]:
    with open_buildly() as deployment:
        deployment.create_superuser("ada", PASSWORD, organization="Acme")
        yield World(deployment, deployment.sign_in("ada", PASSWORD))


def join_as(world: World, name: str, *, groups: list[Group] | None = None) -> Session:
    """Somebody of Acme."""
    world.buildly.register(name, PASSWORD, organization="Acme", caller=world.ada, groups=groups or [])
    return world.buildly.sign_in(name, PASSWORD)
