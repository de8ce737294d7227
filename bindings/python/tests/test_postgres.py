"""A deployment in PostgreSQL, in a schema of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PASSWORD

import buildly

URL = os.environ.get("BUILDLY_TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
KEY = "0f" * 32


@pytest.fixture
def schema() -> Iterator[str]:
    name = f"python_{uuid.uuid4().hex}"
    yield name
    drop = f'DROP SCHEMA IF EXISTS "{name}" CASCADE'
    subprocess.run(["psql", URL, "-q", "-c", drop], check=True, capture_output=True)


def opened(schema: str) -> buildly.Buildly:
    return buildly.open(database_url=URL, database_schema=schema, deployment_key=KEY)


def test_two_nodes_share_one_deployment(schema: str) -> None:
    with opened(schema) as one, opened(schema) as other:
        one.create_superuser("ada", PASSWORD, organization="Acme")
        ada = one.sign_in("ada", PASSWORD)
        # A token of the one is good at the other, which follows what happens here.
        service = buildly.Service("greetings")
        service.get("/")(lambda request: {"greeting": "Hello"})
        one.register_service(ada, service)
        other.attach("greetings", service)
        bob = one.register("bob", PASSWORD, organization="Acme", caller=ada)
        bobs = one.sign_in("bob", PASSWORD)
        assert other.request("GET", "/greetings/", caller=bobs).json() == {"greeting": "Hello"}
        nobody = one.create_group(ada, "Nobody", permissions=["read"])
        one.set_service_groups(ada, "greetings", [nobody])
        assert other.request("GET", "/greetings/", caller=bobs).status == 403
        one.update_user(ada, bob, is_active=False)
        with pytest.raises(buildly.UnauthenticatedError):
            other.me(bobs)
        assert other.verify_journal()


OTHER = """
import sys, buildly
url, schema, key = sys.argv[1:]
with buildly.open(database_url=url, database_schema=schema, deployment_key=key) as deployment:
    ada = deployment.sign_in("ada", "Correct-horse-9-battery")
    deployment.publish_template(ada, {"name": "w", "levels": [
        {"name": "a", "do": {"wait": {"signal": {"name": "go"}}}},
    ]})
    print(deployment.start_run(ada, "w").id)
"""


def test_another_process_uses_it_at_the_same_time(schema: str) -> None:
    with opened(schema) as deployment:
        deployment.create_superuser("ada", PASSWORD, organization="Acme")
        command = [sys.executable, "-c", OTHER, URL, schema, KEY]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
        ada, run = deployment.sign_in("ada", PASSWORD), ended.stdout.strip()
        deployment.send_signal(ada, "go", key="1", run=run)
        # The process that started it has gone; this one goes on with it.
        assert deployment.wait_for_run(ada, run, timeout=60).status == "completed"


def test_the_folder_keeps_the_key(schema: str, tmp_path: Path) -> None:
    for start in range(2):
        with buildly.open(tmp_path, database_url=URL, database_schema=schema) as deployment:
            if start == 0:
                deployment.create_superuser("ada", PASSWORD, organization="Acme")
            assert deployment.sign_in("ada", PASSWORD)
    assert not (tmp_path / "core.db").exists()
    with pytest.raises(buildly.CorruptError, match="deployment key"):
        buildly.open(tmp_path / "other", database_url=URL, database_schema=schema)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    unused = "postgres://ada:hunter2@127.0.0.1:1/nowhere"
    with pytest.raises(buildly.UnavailableError) as refused:
        buildly.open(tmp_path, database_url=unused)
    assert "hunter2" not in str(refused.value)
    with pytest.raises(buildly.BuildlyError) as unknown:
        buildly.open(tmp_path, database_url="mysql://ada:hunter2@127.0.0.1/x")
    assert "hunter2" not in str(unknown.value)
    with pytest.raises(buildly.BuildlyError):
        buildly.open(tmp_path, database_url=URL, database_schema='x"; DROP TABLE y')
    for field, options in {
        "deployment_key": {"database_url": URL},
        "database_schema": {"database_schema": "without_a_database"},
    }.items():
        with pytest.raises(buildly.InvalidError) as invalid:
            buildly.open(**options)  # type: ignore[arg-type]
        assert [refused.field for refused in invalid.value.fields] == [field]
    with pytest.raises(buildly.InvalidError, match="64 hexadecimal digits"):
        buildly.open(database_url=URL, deployment_key="0f")
