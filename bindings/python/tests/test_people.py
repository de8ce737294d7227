"""Users, sign-in, groups, rights."""

from __future__ import annotations

import pytest
from conftest import PASSWORD, World, join_as

import buildly


def test_who_registers_into_an_organization_waits_for_approval(world: World) -> None:
    bob = world.buildly.register("bob", PASSWORD, organization="Acme", email="bob@example.org")
    assert not bob.is_active
    with pytest.raises(buildly.UnauthenticatedError, match="approve"):
        world.buildly.sign_in("bob", PASSWORD)
    assert world.buildly.update_user(world.ada, bob, is_active=True).is_active
    session = world.buildly.sign_in("bob", PASSWORD)
    me = world.buildly.me(session)
    assert (me.username, me.organization, me.email) == ("bob", "Acme", "bob@example.org")
    assert {user.username for user in world.buildly.users(world.ada)} == {"ada", "bob"}


def test_a_founder_administers_the_new_organization(world: World) -> None:
    cleo = world.buildly.register("cleo", PASSWORD, organization="Globex")
    assert cleo.is_active and "Admins" in [group.name for group in cleo.groups]


def test_wrong_credentials_and_unknown_users_read_the_same(world: World) -> None:
    with pytest.raises(buildly.UnauthenticatedError) as wrong:
        world.buildly.sign_in("ada", "not-the-password")
    with pytest.raises(buildly.UnauthenticatedError) as unknown:
        world.buildly.sign_in("nobody", PASSWORD)
    assert str(wrong.value) == str(unknown.value)


def test_every_refused_field_is_named(world: World) -> None:
    with pytest.raises(buildly.InvalidError) as refused:
        world.buildly.register("", "x", organization="")
    assert {field.field for field in refused.value.fields} >= {"username", "password", "organization_name"}
    assert refused.value.kind == "invalid"


def test_guessing_is_slowed_down(world: World) -> None:
    with pytest.raises(buildly.LimitedError) as refused:
        for _ in range(50):
            with pytest.raises(buildly.UnauthenticatedError):
                world.buildly.sign_in("ada", "not-the-password")
    assert refused.value.retry_after is not None and refused.value.retry_after > 0


def test_a_session_is_refreshed_and_ended(world: World) -> None:
    first = world.buildly.sign_in("ada", PASSWORD)
    assert first.expires_in > 0 and first.token not in repr(first)
    second = world.buildly.refresh(first)
    assert world.buildly.me(second).username == "ada"
    world.buildly.sign_out(second)
    with pytest.raises(buildly.UnauthenticatedError):
        world.buildly.me(second)


def test_who_opened_the_folder_may_act_as_a_user(world: World) -> None:
    assert world.buildly.me(buildly.ActingAs("ada")).is_superuser
    with pytest.raises(buildly.NotFoundError):
        world.buildly.me(buildly.ActingAs("nobody"))


def test_a_permission_check_names_what_decided(world: World) -> None:
    service = buildly.Service("crm")
    service.get("/contact/")(lambda request: [])
    world.buildly.register_service(world.ada, service)
    readers = world.buildly.create_group(world.ada, "Readers", permissions=["read"])
    world.buildly.set_service_groups(world.ada, "crm", [readers])
    bob, eve = join_as(world, "bob", groups=[readers]), join_as(world, "eve")

    allowed = world.buildly.check_permission(bob, "read", "crm")
    assert allowed and allowed.is_allowed and "Readers" in allowed.reason
    assert [(one.group, one.is_member, one.allows) for one in allowed.considered] == [("Readers", True, True)]
    refused = world.buildly.check_permission(bob, "delete", "crm")
    assert not refused and refused.reason != allowed.reason
    of_eve = world.buildly.check_permission(
        world.ada, "read", "crm", user=world.buildly.me(eve)
    )
    assert not of_eve

    assert world.buildly.request("GET", "/crm/contact/", caller=bob).status == 200
    answer = world.buildly.request("GET", "/crm/contact/", caller=eve)
    assert answer.status == 403
    with pytest.raises(buildly.ForbiddenError):
        answer.raise_for_status()
    # A right that is taken away counts on the very next request.
    world.buildly.update_user(world.ada, world.buildly.me(bob), groups=[])
    assert world.buildly.request("GET", "/crm/contact/", caller=bob).status == 403


def test_what_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(buildly.NotFoundError, match="there is no service `nope`"):
        world.buildly.check_permission(world.ada, "read", "nope")


def test_only_superusers_register_services(world: World) -> None:
    with pytest.raises(buildly.ForbiddenError):
        world.buildly.services(join_as(world, "bob"))
    with pytest.raises(buildly.UnauthenticatedError):
        world.buildly.services(None)
