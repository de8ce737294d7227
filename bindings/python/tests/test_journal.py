"""The audit trail."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from conftest import World, join_as

import buildly


def test_the_journal_says_who_did_what(world: World) -> None:
    before = datetime.now(timezone.utc)
    world.buildly.create_group(world.ada, "Readers", permissions=["read"])
    (made,) = world.buildly.events(world.ada, kind="auth.group", since=before)
    assert made.kind == "auth.group.created" and made.payload["name"] == "Readers"
    assert made.actor == f"user:{world.buildly.me(world.ada).id}" and made.at >= before
    older = world.buildly.events(world.ada, before_sequence=made.sequence, limit=2)
    assert [event.sequence for event in older] == [made.sequence - 1, made.sequence - 2]
    with pytest.raises(ValueError):
        world.buildly.events(world.ada, since=datetime(2026, 1, 1))
    with pytest.raises(buildly.ForbiddenError):
        world.buildly.events(join_as(world, "bob"))


def test_the_journal_proves_itself(world: World, tmp_path: Path) -> None:
    verified = world.buildly.verify_journal()
    assert verified and verified.chains >= 2 and verified.events > 5 and verified.broken == ()
    world.buildly.backup(str(tmp_path / "copy.sqlite"))
    assert (tmp_path / "copy.sqlite").stat().st_size > 0
    with pytest.raises(buildly.UnavailableError):
        world.buildly.backup(str(tmp_path / "copy.sqlite"))
