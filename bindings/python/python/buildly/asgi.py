"""The gateway as an ASGI application, to be mounted in Starlette, FastAPI or Django.

::

    app = FastAPI()
    app.mount("/api", buildly.asgi.Gateway(deployment))

Answers are streamed as they come. WebSockets are refused: reach such services through the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from . import _native
from ._deployment import AsyncBuildly, Buildly, settled
from .errors import BuildlyError, InvalidError
from .service import problem
from .types import Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_MAX = 32 * 1024 * 1024
"""The most bytes of a request, unless somebody says another number."""

# About the connection to the server in front, which ends there (RFC 9110 section 7.6.1).
_OF_THE_CONNECTION = frozenset(
    [b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"]
)


class _Gone(Exception):
    """The client has gone."""


class Gateway:
    """The gateway of a deployment as an ASGI application. It does not close the deployment."""

    def __init__(self, deployment: Buildly | AsyncBuildly, *, body_max: int = BODY_MAX) -> None:
        self._deployment = deployment
        self._body_max = body_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._answer(scope, receive, send)
            except _Gone:
                pass
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1003})
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._body(receive)
        if body is None:
            detail = f"At most {self._body_max} bytes are taken here."
            return await _send_all(send, problem(413, "Content Too Large", detail))
        target = _target(scope)
        fields = [(k, v) for k, v in scope["headers"] if k.lower() not in _OF_THE_CONNECTION]
        client = scope.get("client")
        peer = (client[0], client[1], scope.get("scheme") == "https") if client else None
        begin = self._deployment._native.begin_request
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            try:
                answer: _native.Answer = await _unless(
                    gone,
                    settled(
                        lambda done: begin(scope["method"], target, fields, body, None, peer, done)
                    ),
                )
            except InvalidError as error:
                return await _send_all(send, problem(400, "Bad Request", str(error)))
            except BuildlyError as error:
                return await _send_all(send, problem(503, "Service Unavailable", str(error)))
            await send(
                {"type": "http.response.start", "status": answer.status, "headers": answer.fields}
            )
            # An answer that breaks off raises: the server then breaks the connection, too.
            while (piece := await _unless(gone, settled(answer.begin_read))) is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    async def _body(self, receive: Receive) -> bytes | None:
        pieces, size, is_more = [], 0, True
        while is_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            piece = message.get("body", b"")
            size += len(piece)
            if size > self._body_max:
                return None
            pieces.append(piece)
            is_more = message.get("more_body", False)
        return b"".join(pieces)


def _target(scope: Scope) -> str:
    raw = scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"])
    root = quote(scope.get("root_path", ""))
    # Some frameworks leave the part where the application is mounted in the path, some do not.
    if root and (path == root or path.startswith(root.rstrip("/") + "/")):
        path = path[len(root.rstrip("/")) :]
    query = scope.get("query_string", b"").decode("latin-1")
    return (path or "/") + (f"?{query}" if query else "")


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _unless(gone: asyncio.Future[None], work: Awaitable[Any]) -> Any:
    """What comes of the work, unless the client goes away before."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
    if task.cancelled() or not task.done():
        raise _Gone
    return task.result()


async def _send_all(send: Send, answer: Response) -> None:
    fields = answer.headers._raw()
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": answer.body})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
