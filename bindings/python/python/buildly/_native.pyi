"""The native half: see `bindings/python/src`."""

import os
from collections.abc import Callable
from typing import Any, final

__all__ = ["Answer", "Deployment", "Pending", "operations"]

_Fields = list[tuple[bytes, bytes]]
_Done = Callable[[Any, BaseException | None], object]

def operations() -> list[str]:
    """The names of all operations, in order."""

@final
class Deployment:
    """A deployment with the threads that work for it."""

    def __new__(
        cls,
        path: str | os.PathLike[str],
        public_url: str | None,
        works_for_runs: bool,
        threads: int,
        database_url: str | None = None,
        database_schema: str | None = None,
        deployment_key: str | None = None,
    ) -> Deployment: ...
    def call(self, operation: str, arguments: str) -> str: ...
    def begin_call(self, operation: str, arguments: str, done: _Done) -> Pending: ...
    def request(
        self,
        method: str,
        target: str,
        fields: _Fields,
        body: bytes,
        timeout: float | None,
        body_max: int,
    ) -> tuple[int, _Fields, bytes]: ...
    def begin_request(
        self,
        method: str,
        target: str,
        fields: _Fields,
        body: bytes,
        timeout: float | None,
        peer: tuple[str, int, bool] | None,
        done: _Done,
    ) -> Pending: ...
    def attach(
        self,
        name: str,
        function: Callable[[str, str, _Fields, bytes], tuple[int, _Fields, bytes]],
        document: str,
    ) -> str: ...
    def close(self) -> None: ...
    @property
    def is_open(self) -> bool: ...

@final
class Answer:
    """An answer whose body is still to come."""

    @property
    def status(self) -> int: ...
    @property
    def fields(self) -> _Fields: ...
    def read(self) -> bytes | None: ...
    def begin_read(self, done: _Done) -> Pending: ...

@final
class Pending:
    """Something that was begun."""

    def cancel(self) -> None: ...
