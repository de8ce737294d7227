"""Runs through functions and people."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import World, join_as

import buildly

STEPS: dict[str, Any] = {
    "name": "order",
    "input": {"type": "object", "required": ["item"], "properties": {"item": {"type": "string"}}},
    "levels": [
        {
            "name": "reserve",
            "do": {"call": {"operation": "stock.reserve", "body": "{'item': input.item}"}},
        },
        {
            "name": "approve",
            "title": "Ship it?",
            "do": {
                "task": {
                    "group": "Managers",
                    "show": "levels.reserve",
                    "form": {
                        "type": "object",
                        "required": ["ok"],
                        "properties": {"ok": {"type": "boolean"}},
                    },
                }
            },
        },
        {"name": "ship", "when": "levels.approve.ok", "do": {"call": {"operation": "stock.ship"}}},
    ],
}


def stock(world: World) -> list[str]:
    """A service of functions; gives what they were asked."""
    service, asked = buildly.Service("stock"), []

    @service.post("/reservation/")
    def reserve(request: buildly.Request) -> object:
        asked.append(request.headers["idempotency-key"])
        item = request.json()["item"]
        if item == "unicorn":
            raise LookupError("no unicorns")
        return {"reserved": item}

    @service.post("/shipment/")
    def ship(request: buildly.Request) -> object:
        return {"shipped_by": world.buildly.me(request.token).username}

    world.buildly.register_service(world.ada, service)
    return asked


def test_a_run_calls_functions_and_waits_for_a_person(world: World) -> None:
    asked = stock(world)
    managers = world.buildly.create_group(world.ada, "Managers", permissions=["read"])
    bob, eve = join_as(world, "bob", groups=[managers]), join_as(world, "eve")
    (warning,) = world.buildly.check_template(world.ada, STEPS)
    assert (warning.severity, warning.level) == ("warning", "approve") and "deadline" in warning.mending
    template = world.buildly.publish_template(world.ada, STEPS)
    assert (template.name, template.version, template.status) == ("order", 1, "published")

    run = world.buildly.start_run(
        world.ada, "order", {"item": "lamp"}, business_key="A-1", idempotency_key="once"
    )
    again = world.buildly.start_run(world.ada, "order", {"item": "lamp"}, idempotency_key="once")
    assert again.id == run.id
    # Watched step by step, until it waits for somebody.
    while "task" not in [level.phase for level in run.live]:
        assert not run.is_ended, run
        run = world.buildly.wait_for_change(world.ada, run, timeout=30)
    assert len(asked) == 1 and not run.is_ended

    assert world.buildly.tasks(eve, run=run) == []
    (listed,) = world.buildly.tasks(bob, run=run, status="open", is_mine=True)
    task = world.buildly.task(bob, listed)
    assert task.title == "Ship it?" and task.show == {"reserved": "lamp"} and task.form["required"] == ["ok"]
    with pytest.raises(buildly.ForbiddenError, match="Managers"):
        world.buildly.complete_task(eve, task, {"ok": True})
    with pytest.raises(buildly.InvalidError):
        world.buildly.complete_task(bob, task, {"ok": "perhaps"})
    assert world.buildly.claim_task(bob, task).claimed_by is not None
    world.buildly.complete_task(bob, task, {"ok": True})
    with pytest.raises(buildly.BuildlyError):
        world.buildly.complete_task(bob, task, {"ok": True})

    run = world.buildly.wait_for_run(world.ada, run, timeout=30)
    assert run.status == "completed" and run.is_ended and run.ended_at is not None
    assert run.result == {"shipped_by": "ada"}
    history = world.buildly.run_history(world.ada, run)
    assert [event.number for event in history] == list(range(1, len(history) + 1))
    assert [one.id for one in world.buildly.runs(world.ada, business_key="A-1", is_ended=True)] == [run.id]


def test_a_function_that_raises_fails_its_step(world: World) -> None:
    asked = stock(world)
    world.buildly.publish_template(world.ada, {**STEPS, "levels": STEPS["levels"][:1]})
    run = world.buildly.start_run(world.ada, "order", {"item": "unicorn"})
    run = world.buildly.wait_for_run(world.ada, run, timeout=60)
    assert run.status in ("failed", "compensated", "needs_attention"), run
    assert asked and len(set(asked)) == 1, "all attempts have one key"


def test_what_must_be_mended_is_named_by_level(world: World) -> None:
    with pytest.raises(buildly.InvalidError) as refused:
        world.buildly.publish_template(world.ada, STEPS)
    assert "reserve" in {field.field for field in refused.value.fields}
    assert any(finding.severity == "error" for finding in world.buildly.check_template(world.ada, STEPS))
    with pytest.raises(buildly.InvalidError):
        world.buildly.publish_template(world.ada, {"name": "x", "levels": [{"name": "y", "do": {"no": 1}}]})
    deep: object = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(buildly.InvalidError):
        world.buildly.publish_template(world.ada, deep)


def test_a_run_is_steered_and_signalled(world: World) -> None:
    template = {
        "name": "patient",
        "levels": [{"name": "wait", "do": {"wait": {"signal": {"name": "go"}}}}],
    }
    world.buildly.publish_template(world.ada, template)
    run = world.buildly.start_run(world.ada, "patient", business_key="P")
    while not run.live:
        assert not run.is_ended, run
        run = world.buildly.wait_for_change(world.ada, run, timeout=30)
    assert world.buildly.pause_run(world.ada, run).status == "paused"
    assert world.buildly.set_variables(world.ada, run, {"x": 1}).variables == {"x": 1}
    assert world.buildly.resume_run(world.ada, run).status == "running"
    with pytest.raises(buildly.InvalidError, match="needs attention"):
        world.buildly.retry_run(world.ada, run)
    assert world.buildly.send_signal(world.ada, "go", key="1", business_key="P") == [run.id]
    assert world.buildly.wait_for_run(world.ada, run, timeout=30).status == "completed"
    other = world.buildly.start_run(world.ada, "patient")
    cancelled = world.buildly.cancel_run(world.ada, other, "no longer wanted")
    cancelled = world.buildly.wait_for_run(world.ada, cancelled, timeout=30)
    assert (cancelled.status, cancelled.reason) == ("cancelled", "no longer wanted")
    with pytest.raises(buildly.ConflictError):
        world.buildly.send_signal(world.ada, "go", key="2", run=other)


def test_an_event_starts_a_run(world: World) -> None:
    template = {
        "name": "heard",
        "starts": [{"event": "order.placed"}],
        "levels": [{"name": "say", "do": {"emit": {"event": "order.seen", "payload": "input.number"}}}],
    }
    world.buildly.publish_template(world.ada, template)
    heard = world.buildly.report_event(world.ada, "order.placed", key="7", payload={"number": 7})
    again = world.buildly.report_event(world.ada, "order.placed", key="7", payload={"number": 7})
    assert len(heard.runs) == 1 and heard.runs == again.runs and heard.refused == ()
    assert world.buildly.wait_for_run(world.ada, heard.runs[0], timeout=30).result == 7
