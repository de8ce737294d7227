"""A deployment: opened, asked, closed."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import tempfile
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, TypeVar

from . import _native
from ._async_operations import AsyncOperations
from ._operations import Operations
from .errors import InvalidError, LimitedError, UnavailableError
from .service import native
from .types import Caller, Handler, Headers, Json, Response, Session, caller_json

T = TypeVar("T")

BODY_MAX = 64 * 1024 * 1024
"""The most bytes of an answer that are read at once, unless somebody says another number."""

_open: weakref.WeakSet[_Opened] = weakref.WeakSet()


def _dumps(value: Json) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"invalid input: expected what JSON can express: {error}") from error


class _Opened:
    """What the two ways of asking share."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        public_url: str | None = None,
        works_for_runs: bool = True,
        threads: int = 2,
        database_url: str | None = None,
        database_schema: str | None = None,
        deployment_key: str | None = None,
    ) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if path is None and database_url is not None and deployment_key is None:
            # As the native half says it, which is given a folder below.
            refused = "expected one, or a folder that keeps it: without, what is sealed is lost"
            raise InvalidError(
                f"invalid input: deployment_key: {refused}", [("deployment_key", refused)]
            )
        if path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="buildly-", ignore_cleanup_errors=True)
            path = self._folder.name
        self.path = os.fspath(path)
        """The data folder."""
        self._native = _native.Deployment(
            path,
            public_url,
            works_for_runs,
            threads,
            database_url,
            database_schema,
            deployment_key,
        )
        _open.add(self)

    @property
    def is_open(self) -> bool:
        """Whether it is open, in this process."""
        return self._native.is_open

    def _close(self) -> None:
        self._native.close()
        _open.discard(self)
        if self._folder is not None:
            self._folder.cleanup()

    def _wait(self, answering: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(answering)

    def _attach(self, name: str, handler: Handler, openapi: Json) -> None:
        if openapi is None:
            raise ValueError("give the OpenAPI document of the service, or make it a buildly.Service")
        self._native.attach(name, native(name, handler, self._wait), _dumps(openapi))

    def attach(self, name: str, handler: Handler, openapi: Json = None) -> None:
        """Lets a service that was registered before run in this process again: its function and
        OpenAPI document (or a :class:`Service`, which knows its own)."""
        self._attach(name, handler, getattr(handler, "openapi", None) if openapi is None else openapi)


def _head(
    caller: Caller, headers: Mapping[str, str] | None, body: bytes, json_body: Json
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    if isinstance(body, str):
        raise TypeError("a body is bytes; encode the text, or give `json`")
    fields = dict(headers or {})
    if caller is not None:
        known = caller_json(caller)
        if not isinstance(known, dict) or "token" not in known:
            raise ValueError("a request needs a session, a token or an API key, or nobody")
        fields["authorization"] = f"Bearer {known['token']}"
    if json_body is not None:
        body = _dumps(json_body).encode()
        fields.setdefault("content-type", "application/json")
    return Headers(fields)._raw(), bytes(body)


class Buildly(_Opened, Operations):
    """A deployment. Any number of threads may use it at once; none of them holds the GIL while
    it waits.

    Use it in a ``with`` statement, or :meth:`close` it. Without ``path`` it lives in a temporary
    folder and is gone once it is closed. It cannot be used after ``os.fork()``.
    """

    def _perform(self, operation: str, read: Callable[[Any], T], **arguments: Any) -> T:
        return read(json.loads(self._native.call(operation, _dumps(arguments))))

    def request(
        self,
        method: str,
        path: str,
        *,
        caller: Session | str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        json: Json = None,
        timeout: float | None = None,
        body_max: int = BODY_MAX,
    ) -> Response:
        """Sends a request through the gateway. ``path`` begins with the name of a service; with
        ``?join`` the answer holds the linked records of other services."""
        fields, content = _head(caller, headers, body, json)
        status, answered, body = self._native.request(
            method, path, fields, content, timeout, body_max
        )
        return Response(status, Headers._of(answered), body)

    def close(self) -> None:
        """Ends all work; what was acknowledged is on disk. Closing again does nothing."""
        self._close()

    def __enter__(self) -> Buildly:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


async def settled(begin: Callable[[Callable[[Any, BaseException | None], object]], Any]) -> Any:
    """Waits on the running event loop for what the native half tells; cancelling ends it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def done(value: Any, error: BaseException | None) -> None:
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            # The loop was closed meanwhile: nobody waits.
            pass

    pending = begin(done)
    try:
        return await future
    except asyncio.CancelledError:
        pending.cancel()
        raise


async def _read(answer: _native.Answer, body_max: int) -> bytes:
    pieces, size = [], 0
    while (piece := await settled(answer.begin_read)) is not None:
        size += len(piece)
        if size > body_max:
            raise LimitedError(
                f"the answer is larger than {body_max} bytes: ask for less, or raise `body_max`"
            )
        pieces.append(piece)
    return b"".join(pieces)


class AsyncBuildly(_Opened, AsyncOperations):
    """A deployment, for :mod:`asyncio`: as :class:`Buildly`, with operations to ``await``.

    Use it in an ``async with`` statement: ``async with buildly.open_async() as deployment``. Its
    ``async def`` services run on the event loop that it was opened on.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    async def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        public_url: str | None = None,
        works_for_runs: bool = True,
        threads: int = 2,
        database_url: str | None = None,
        database_schema: str | None = None,
        deployment_key: str | None = None,
    ) -> AsyncBuildly:
        """Opens a data folder without holding up the event loop."""
        opened = await asyncio.to_thread(
            cls,
            path,
            public_url=public_url,
            works_for_runs=works_for_runs,
            threads=threads,
            database_url=database_url,
            database_schema=database_schema,
            deployment_key=deployment_key,
        )
        opened._loop = asyncio.get_running_loop()
        return opened

    def _wait(self, answering: Coroutine[Any, Any, Any]) -> Any:
        if self._loop is None:
            return super()._wait(answering)
        return asyncio.run_coroutine_threadsafe(answering, self._loop).result()

    async def _perform(self, operation: str, read: Callable[[Any], T], **arguments: Any) -> T:
        written = _dumps(arguments)
        answered = await settled(lambda done: self._native.begin_call(operation, written, done))
        return read(json.loads(answered))

    async def request(
        self,
        method: str,
        path: str,
        *,
        caller: Session | str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        json: Json = None,
        timeout: float | None = None,
        body_max: int = BODY_MAX,
    ) -> Response:
        """As :meth:`Buildly.request`."""
        fields, content = _head(caller, headers, body, json)
        began = time.monotonic()
        answer: _native.Answer = await settled(
            lambda done: self._native.begin_request(
                method, path, fields, content, timeout, None, done
            )
        )
        left = None if timeout is None else max(0.0, timeout - (time.monotonic() - began))
        try:
            whole = await asyncio.wait_for(_read(answer, body_max), left)
        except asyncio.TimeoutError:
            raise UnavailableError(f"no answer within {timeout} s, as asked for") from None
        return Response(answer.status, Headers._of(answer.fields), whole)

    async def close(self) -> None:
        """Ends all work; what was acknowledged is on disk. Closing again does nothing."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> AsyncBuildly:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


@atexit.register
def _close_all() -> None:
    for opened in list(_open):
        if opened.is_open:
            opened._close()
