"""Services that are functions of this process."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import unquote

from .types import Handler, Headers, Json, Request, Response

_log = logging.getLogger("buildly")
F = TypeVar("F", bound=Callable[..., Any])
Await = Callable[[Coroutine[Any, Any, Any]], Any]
_WITH_BODY = ("POST", "PUT", "PATCH")


class Service:
    """A service made of functions, with the OpenAPI document that describes them.

    The parameters in a path are handed on by name, as text::

        greetings = buildly.Service("greetings")

        @greetings.get("/hello/{name}/")
        def hello(request: buildly.Request, name: str) -> object:
            return {"greeting": f"Hello {name}"}

    Each function is an operation that levels of workflows can call, here
    ``greetings.hello``. It runs on a thread of its own, or, if it is an ``async def``, on the
    event loop of an :class:`AsyncBuildly`. What it raises is logged and answers 500.
    """

    def __init__(self, name: str, *, title: str | None = None, version: str = "1") -> None:
        self.name = name
        self.title = title
        self._version = version
        self._paths: dict[str, dict[str, Json]] = {}
        self._routes: list[tuple[re.Pattern[str], str, Callable[..., Any]]] = []

    def operation(self, method: str, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answers requests of a method to a path with the decorated function."""
        if not path.startswith("/"):
            raise ValueError(f"a path begins with `/`, got {path!r}")
        parameters = re.findall(r"\{([A-Za-z_]\w*)\}", path)
        segments = (re.escape(part) for part in re.split(r"\{[A-Za-z_]\w*\}", path))
        pattern = "".join(
            segment + (f"(?P<{parameter}>[^/]+)" if parameter else "")
            for segment, parameter in zip(segments, [*parameters, ""])
        )

        def add(function: F) -> F:
            described: dict[str, Json] = {
                "operationId": name or function.__name__,
                "responses": {"200": {"description": "The answer."}},
                "parameters": [
                    {"name": one, "in": "path", "required": True, "schema": {"type": "string"}}
                    for one in parameters
                ],
            }
            if function.__doc__:
                described["summary"] = inspect.cleandoc(function.__doc__).splitlines()[0]
            if method.upper() in _WITH_BODY:
                described["requestBody"] = {"content": {"application/json": {"schema": {}}}}
            self._paths.setdefault(path, {})[method.lower()] = described
            self._routes.append((re.compile(pattern), method.upper(), function))
            return function

        return add

    def get(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answers ``GET`` (and ``HEAD``)."""
        return self.operation("GET", path, name=name)

    def post(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answers ``POST``."""
        return self.operation("POST", path, name=name)

    def put(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answers ``PUT``."""
        return self.operation("PUT", path, name=name)

    def patch(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answers ``PATCH``."""
        return self.operation("PATCH", path, name=name)

    def delete(self, path: str, *, name: str | None = None) -> Callable[[F], F]:
        """Answers ``DELETE``."""
        return self.operation("DELETE", path, name=name)

    @property
    def openapi(self) -> Json:
        """The OpenAPI document of the functions so far."""
        info = {"title": self.title or self.name, "version": self._version}
        return {"openapi": "3.1.0", "info": info, "paths": self._paths}

    def __call__(self, request: Request) -> Any:
        """Answers a request; an awaitable if the function is an ``async def``."""
        method = "GET" if request.method == "HEAD" else request.method
        is_known = False
        for pattern, known, function in self._routes:
            found = pattern.fullmatch(request.path)
            if found and known == method:
                return function(request, **{k: unquote(v) for k, v in found.groupdict().items()})
            is_known = is_known or found is not None
        status, title = (405, "Method Not Allowed") if is_known else (404, "Not Found")
        detail = f"{self.name} has no operation {request.method} {request.path}."
        return problem(status, title, detail)


def problem(status: int, title: str, detail: str) -> Response:
    """An answer with problem details (RFC 9457)."""
    members = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response.of_json(members, status, {"content-type": "application/problem+json"})


Raw = tuple[int, list[tuple[bytes, bytes]], bytes]


def native(
    name: str, handler: Handler, wait: Await
) -> Callable[[str, str, list[tuple[bytes, bytes]], bytes], Raw]:
    """A handler as the native half calls it. Nothing that it raises gets through."""

    def answer(method: str, target: str, fields: list[tuple[bytes, bytes]], body: bytes) -> Raw:
        path, _, query = target.partition("?")
        request = Request(method, path, query, Headers._of(fields), body)
        try:
            answered = handler(request)
            if inspect.iscoroutine(answered):
                answered = wait(answered)
            if answered is None:
                answered = Response(204)
            elif not isinstance(answered, Response):
                answered = Response.of_json(answered)
            return answered.status, answered.headers._raw(), answered.body
        except Exception:
            _log.exception("service %s raised at %s %s", name, method, path)
            detail = f"Service `{name}` raised an exception; its log says which."
            refused = problem(500, "Internal Server Error", detail)
            return refused.status, refused.headers._raw(), refused.body

    return answer
