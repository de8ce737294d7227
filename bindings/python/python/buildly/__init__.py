"""Identity, an API gateway, a data mesh, a workflow engine and a journal, in your process.

One handle is opened on a data folder, which holds one SQLite file::

    with buildly.open("./data") as deployment:
        deployment.create_superuser("ada", "Correct-horse-9-battery", organization="Acme")
        ada = deployment.sign_in("ada", "Correct-horse-9-battery")

Each operation takes who asks explicitly. :mod:`buildly.asgi` mounts the gateway in a web framework.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from ._deployment import AsyncBuildly, Buildly
from .errors import (
    BuildlyError,
    ClosedError,
    ConflictError,
    CorruptError,
    FieldError,
    ForbiddenError,
    ForkedError,
    InvalidError,
    LimitedError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from .service import Service
from .types import (
    ActingAs,
    Action,
    BrokenChain,
    Caller,
    ConsideredGroup,
    Declared,
    Event,
    Finding,
    Group,
    Handler,
    Headers,
    Heard,
    Json,
    LiveLevel,
    Permission,
    RegisteredService,
    Request,
    Response,
    Run,
    RunEvent,
    RunStatus,
    RunSummary,
    Session,
    Task,
    TaskStatus,
    Template,
    User,
    Verification,
)

__all__ = [
    "ActingAs",
    "Action",
    "AsyncBuildly",
    "BrokenChain",
    "Buildly",
    "BuildlyError",
    "Caller",
    "ClosedError",
    "ConflictError",
    "ConsideredGroup",
    "CorruptError",
    "Declared",
    "Event",
    "FieldError",
    "Finding",
    "ForbiddenError",
    "ForkedError",
    "Group",
    "Handler",
    "Headers",
    "Heard",
    "InvalidError",
    "Json",
    "LimitedError",
    "LiveLevel",
    "NotFoundError",
    "Permission",
    "RegisteredService",
    "Request",
    "Response",
    "Run",
    "RunEvent",
    "RunStatus",
    "RunSummary",
    "Service",
    "Session",
    "Task",
    "TaskStatus",
    "Template",
    "UnauthenticatedError",
    "UnavailableError",
    "User",
    "Verification",
    "open",
    "open_async",
]


def open(
    path: str | os.PathLike[str] | None = None,
    *,
    public_url: str | None = None,
    works_for_runs: bool = True,
    threads: int = 2,
    database_url: str | None = None,
    database_schema: str | None = None,
    deployment_key: str | None = None,
) -> Buildly:
    """Opens a data folder; makes it if there is none. Without a path it is a temporary one.

    ``public_url`` is the address under which clients reach the deployment; tokens are issued in
    its name. Without ``works_for_runs`` this process starts and shows runs of workflows, but
    works for none. ``threads`` is how many the native half works with. With ``database_url``
    (``postgres://user:password@host/database``) the deployment is in that database, in the schema
    ``database_schema`` (by default ``buildly``), and any number of processes may open it, each with
    a folder of its own and all with one ``deployment_key``, 64 hexadecimal digits. Without one, the
    folder keeps it.
    """
    return Buildly(
        path,
        public_url=public_url,
        works_for_runs=works_for_runs,
        threads=threads,
        database_url=database_url,
        database_schema=database_schema,
        deployment_key=deployment_key,
    )


@contextlib.asynccontextmanager
async def open_async(
    path: str | os.PathLike[str] | None = None,
    *,
    public_url: str | None = None,
    works_for_runs: bool = True,
    threads: int = 2,
    database_url: str | None = None,
    database_schema: str | None = None,
    deployment_key: str | None = None,
) -> AsyncIterator[AsyncBuildly]:
    """As :func:`open`, for :mod:`asyncio`: ``async with buildly.open_async() as deployment``."""
    opened = await AsyncBuildly.open(
        path,
        public_url=public_url,
        works_for_runs=works_for_runs,
        threads=threads,
        database_url=database_url,
        database_schema=database_schema,
        deployment_key=deployment_key,
    )
    try:
        yield opened
    finally:
        await opened.close()
