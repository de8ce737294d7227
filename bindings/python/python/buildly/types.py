"""What goes in and comes out."""

from __future__ import annotations

import json as _json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar, Union

from .errors import (
    BuildlyError,
    ConflictError,
    CorruptError,
    ForbiddenError,
    InvalidError,
    LimitedError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)

T = TypeVar("T")

Json = Any
"""What :mod:`json` reads and writes."""

Action = Literal["create", "read", "update", "delete"]
"""One thing that somebody wants to do to a service's records."""

RunStatus = Literal[
    "new",
    "running",
    "paused",
    "needs_attention",
    "undoing",
    "completed",
    "failed",
    "compensated",
    "cancelled",
]
TaskStatus = Literal["open", "claimed", "closed"]


@dataclass(frozen=True)
class Session:
    """What signing in gives. Printing it does not show the tokens."""

    token: str = field(repr=False)
    """The access token, a signed JWT: ``Authorization: Bearer …``."""
    refresh_token: str | None = field(repr=False)
    """What :meth:`Buildly.refresh` trades for the next session; it counts once."""
    expires_in: float
    """How many seconds the access token lives."""


@dataclass(frozen=True)
class ActingAs:
    """The user of this name, without proof: whoever has opened the data folder owns it.

    What the user may do is asked all the same.
    """

    username: str


Caller = Union[Session, str, ActingAs, None]
"""Who asks: a session, an access token or API key, :class:`ActingAs`, or nobody who is signed in."""


def caller_json(caller: Caller) -> Json:
    """A caller as the native half reads it."""
    if caller is None:
        return "anonymous"
    if isinstance(caller, ActingAs):
        return {"acting_as": caller.username}
    return {"token": caller.token if isinstance(caller, Session) else caller}


def _time(text: str) -> datetime:
    # Python 3.10 reads neither a `Z` nor any other number of digits than six.
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction:0<6}+00:00")


def _time_if_any(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


@dataclass(frozen=True)
class Group:
    """A role: what its members may do."""

    id: str
    name: str
    organization: str | None
    """The id of the organization; none for groups of the deployment."""
    permissions: tuple[Action, ...]

    @classmethod
    def _of(cls, value: Json) -> Group:
        return cls(**{**value, "permissions": tuple(value["permissions"])})


@dataclass(frozen=True)
class User:
    """A person's account."""

    id: str
    username: str
    email: str
    first_name: str
    last_name: str
    organization: str | None
    """The name of the organization."""
    organization_id: str | None
    groups: tuple[Group, ...]
    is_active: bool
    """Whether the user may sign in; who registers into an organization waits for approval."""
    is_superuser: bool

    @classmethod
    def _of(cls, value: Json) -> User:
        return cls(**{**value, "groups": tuple(Group._of(group) for group in value["groups"])})


@dataclass(frozen=True)
class ConsideredGroup:
    """A group that was looked at for a decision."""

    group: str
    is_member: bool
    allows: bool


@dataclass(frozen=True)
class Permission:
    """The answer to "may I?"; true if the answer is yes."""

    is_allowed: bool
    reason: str
    """The rule or group that decided, as a sentence."""
    considered: tuple[ConsideredGroup, ...]

    def __bool__(self) -> bool:
        return self.is_allowed

    @classmethod
    def _of(cls, value: Json) -> Permission:
        considered = tuple(ConsideredGroup(**group) for group in value["considered"])
        return cls(value["is_allowed"], value["reason"], considered)


@dataclass(frozen=True)
class RegisteredService:
    """A service behind the gateway."""

    id: str
    name: str
    """The first segment of its paths."""
    title: str
    urls: tuple[str, ...]
    """Where its running copies listen."""
    credential: str
    """What travels to it: ``forward`` (the caller's token), ``none``, or ``own:…``."""

    @classmethod
    def _of(cls, value: Json) -> RegisteredService:
        return cls(**{**value, "urls": tuple(value["urls"])})


@dataclass(frozen=True)
class Declared:
    """A record type or a relationship that was declared."""

    id: str
    name: str
    """The full name of a record type, such as ``crmContact``; the key of a relationship."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a template."""

    severity: Literal["error", "warning"]
    """An error keeps it from being published."""
    level: str
    reason: str
    mending: str
    """What to do about it."""


@dataclass(frozen=True)
class Template:
    """A version of a workflow template."""

    name: str
    version: int
    status: Literal["draft", "published", "retired"]
    title: str | None
    hash: str


@dataclass(frozen=True)
class RunSummary:
    """A run of a workflow, as lists show it."""

    id: str
    template: str
    template_version: int
    status: RunStatus
    business_key: str | None
    starter: str
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    @classmethod
    def _of(cls, value: Json) -> RunSummary:
        return cls(**_with_times(value))


def _with_times(value: Json) -> dict[str, Any]:
    return {
        **value,
        "created_at": _time(value["created_at"]),
        "updated_at": _time(value["updated_at"]),
        "ended_at": _time_if_any(value["ended_at"]),
    }


@dataclass(frozen=True)
class LiveLevel:
    """A level of a run that is being worked on."""

    activation: int
    level: str
    phase: str
    attempt: int
    deadline: datetime | None
    fault: Mapping[str, Json] | None
    """Why a person must decide."""

    @classmethod
    def _of(cls, value: Json) -> LiveLevel:
        return cls(**{**value, "deadline": _time_if_any(value["deadline"])})


@dataclass(frozen=True)
class Run(RunSummary):
    """A run of a workflow."""

    is_ended: bool
    version: int
    """Goes up with every step."""
    input: Json
    variables: Mapping[str, Json]
    result: Json
    """What it came to, once completed."""
    fault: Mapping[str, Json] | None
    """Why it failed."""
    reason: str | None
    """Why it was cancelled."""
    live: tuple[LiveLevel, ...]
    """What it does just now."""

    @classmethod
    def _of(cls, value: Json) -> Run:
        live = tuple(LiveLevel._of(level) for level in value["live"])
        return cls(**{**_with_times(value), "live": live})


@dataclass(frozen=True)
class RunEvent:
    """One event of a run's history."""

    number: int
    at: datetime
    kind: str
    event: Mapping[str, Json]

    @classmethod
    def _of(cls, value: Json) -> RunEvent:
        return cls(**{**value, "at": _time(value["at"])})


@dataclass(frozen=True)
class Heard:
    """What came of an event that was reported."""

    runs: tuple[str, ...]
    """The runs that it started."""
    refused: tuple[tuple[str, str], ...]
    """Templates that it should have started a run of, and why it could not."""

    @classmethod
    def _of(cls, value: Json) -> Heard:
        refused = tuple((one["template"], one["reason"]) for one in value["refused"])
        return cls(tuple(value["runs"]), refused)


@dataclass(frozen=True)
class Task:
    """A person's work."""

    id: str
    run: str
    template: str
    level: str
    title: str | None
    description: str | None
    group: str | None
    """The group that may do it."""
    user: str | None
    """The user who shall do it."""
    claimed_by: str | None
    show: Json
    """What the person is shown."""
    due: datetime | None
    status: TaskStatus
    created_at: datetime
    form: Json
    """The JSON Schema of what is filled in; absent in lists."""

    @classmethod
    def _of(cls, value: Json) -> Task:
        times = {"due": _time_if_any(value["due"]), "created_at": _time(value["created_at"])}
        return cls(**{**value, **times})


@dataclass(frozen=True)
class Event:
    """An event of the journal."""

    sequence: int
    """Its number in the organization's chain, from 1 without gaps."""
    id: str
    kind: str
    """What happened, such as ``auth.group.deleted``."""
    subject: str
    """What it happened to."""
    actor: str
    """Who did it: ``user:…``, ``service_account:…``, ``application:…`` or ``anonymous``."""
    at: datetime
    payload: Json
    """The facts; none once erased."""
    hash: str

    @classmethod
    def _of(cls, value: Json) -> Event:
        return cls(**{**value, "at": _time(value["at"])})


@dataclass(frozen=True)
class BrokenChain:
    """A chain of the journal that does not hold."""

    organization: str | None
    sequence: int
    """The number of the first event that does not fit."""
    reason: str


@dataclass(frozen=True)
class Verification:
    """What a check of all chains of the journal has shown; true if all hold."""

    chains: int
    events: int
    broken: tuple[BrokenChain, ...]

    def __bool__(self) -> bool:
        return not self.broken

    @classmethod
    def _of(cls, value: Json) -> Verification:
        broken = tuple(BrokenChain(**chain) for chain in value["broken"])
        return cls(value["chains"], value["events"], broken)


class Headers(Mapping[str, str]):
    """Header fields. Names are read without case; a name may stand several times."""

    def __init__(self, fields: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self.fields: tuple[tuple[str, str], ...] = tuple((str(k), str(v)) for k, v in pairs)

    def __getitem__(self, name: str) -> str:
        for known, value in self.fields:
            if known.lower() == name.lower():
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self.fields))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self.fields})

    def __repr__(self) -> str:
        return f"Headers({list(self.fields)!r})"

    def all(self, name: str) -> list[str]:
        """Every value that stands under a name."""
        return [value for known, value in self.fields if known.lower() == name.lower()]

    def _raw(self) -> list[tuple[bytes, bytes]]:
        try:
            return [(k.encode("latin-1"), v.encode("latin-1")) for k, v in self.fields]
        except UnicodeEncodeError as error:
            message = "header fields are Latin-1; encode other text, for example in percents"
            raise InvalidError(f"invalid input: {message}", [("headers", message)]) from error

    @classmethod
    def _of(cls, raw: Sequence[tuple[bytes, bytes]]) -> Headers:
        return cls([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])


@dataclass(frozen=True)
class Request:
    """A request that a service of Python's answers."""

    method: str
    path: str
    """Percent-encoded, without the service's name and the query."""
    query: str
    headers: Headers
    body: bytes

    @property
    def token(self) -> str | None:
        """The caller's token; a caller of :class:`Buildly`'s operations."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" and token else None

    def json(self) -> Json:
        """The body, read as JSON; none if it is empty."""
        return _json.loads(self.body) if self.body else None


_ERRORS: dict[int, type[BuildlyError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    405: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    413: LimitedError,
    429: LimitedError,
    500: CorruptError,
}


@dataclass(frozen=True)
class Response:
    """An answer: of the gateway, or of a service of Python's."""

    status: int = 200
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @classmethod
    def of_json(
        cls, value: Json, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """An answer whose body is JSON."""
        fields = {"content-type": "application/json", **(headers or {})}
        return cls(status, Headers(fields), _json.dumps(value, allow_nan=False).encode())

    @property
    def is_ok(self) -> bool:
        """Whether the status is 2xx or 3xx."""
        return 200 <= self.status < 400

    @property
    def text(self) -> str:
        """The body as text in UTF-8."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Json:
        """The body, read as JSON; none if it is empty."""
        return _json.loads(self.body) if self.body else None

    def raise_for_status(self) -> Response:
        """Raises the error that the status stands for; gives the answer itself if it is none."""
        if self.is_ok:
            return self
        error = _ERRORS.get(self.status, InvalidError if self.status < 500 else UnavailableError)
        try:
            problem = self.json()
        except ValueError:
            problem = None
        problem = problem if isinstance(problem, dict) else {}
        detail = problem.get("detail") or f"the answer has status {self.status}"
        retry_after = self.headers.get("retry-after", "")
        raise error(str(detail), (), float(retry_after) if re.fullmatch(r"\d+", retry_after) else None)


Handler = Callable[[Request], Any]
"""Answers requests: gives a :class:`Response`, anything that JSON can express, or nothing (204).

It may be an ``async def``."""
