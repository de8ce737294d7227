"""What can go wrong, by what the caller can do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class FieldError(NamedTuple):
    """One refused field of an input, or one level of a template that must be mended."""

    field: str
    message: str


class BuildlyError(Exception):
    """Something was refused or failed."""

    kind = "error"
    """The same in every language: ``invalid``, ``not_found``, …"""

    fields: tuple[FieldError, ...]
    """Every refused field at once, where it is about fields."""

    retry_after: float | None
    """In how many seconds it makes sense to try again, where that is known."""

    def __init__(
        self,
        message: str = "",
        fields: Sequence[tuple[str, str]] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.fields = tuple(FieldError(*field) for field in fields)
        self.retry_after = retry_after


class InvalidError(BuildlyError):
    """The input is wrong; correct it."""

    kind = "invalid"


class UnauthenticatedError(BuildlyError):
    """Nobody is signed in, or the token is not good any more; sign in."""

    kind = "unauthenticated"


class ForbiddenError(BuildlyError):
    """Signed in, but not allowed; the message names the rule. Ask for the right."""

    kind = "forbidden"


class NotFoundError(BuildlyError):
    """There is no such thing, or not for this caller."""

    kind = "not_found"


class ConflictError(BuildlyError):
    """The state does not take this change; read again and decide again."""

    kind = "conflict"


class LimitedError(BuildlyError):
    """Too much or too often; wait."""

    kind = "limited"


class UnavailableError(BuildlyError):
    """Something that is needed does not answer; try again later."""

    kind = "unavailable"


class CorruptError(BuildlyError):
    """Stored data or Buildly's own state is broken; a person must act."""

    kind = "corrupt"


class ClosedError(BuildlyError):
    """The deployment was closed."""

    kind = "closed"


class ForkedError(BuildlyError):
    """The deployment was opened by another process, of which this one is a fork."""

    kind = "forked"
