"""The operations of a deployment, to be awaited. Made of `_operations.py` by `make_async.py`."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from .service import Service
from .types import (
    Action,
    Caller,
    Declared,
    Event,
    Finding,
    Group,
    Handler,
    Heard,
    Json,
    Permission,
    RegisteredService,
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
    caller_json,
)

T = TypeVar("T")


def _text(value: Any) -> Any:
    return value


def _nothing(_: Any) -> None:
    return None


def _id(group: Group | str) -> str:
    return group if isinstance(group, str) else group.id


class AsyncOperations(abc.ABC):
    """Every operation takes who asks first. The errors are those of :mod:`buildly.errors`."""

    @abc.abstractmethod
    async def _perform(self, operation: str, read: Callable[[Any], T], **arguments: Any) -> T: ...

    @abc.abstractmethod
    def _attach(self, name: str, handler: Handler, openapi: Json) -> None: ...

    # -- people ---------------------------------------------------------------------------

    async def create_superuser(
        self, username: str, password: str, *, organization: str, email: str = ""
    ) -> User:
        """Makes a user who may do everything. For whoever has opened the folder."""
        return await self._perform(
            "create_superuser",
            User._of,
            username=username,
            password=password,
            organization=organization,
            email=email,
        )

    async def register(
        self,
        username: str,
        password: str,
        *,
        organization: str,
        caller: Caller = None,
        email: str = "",
        first_name: str | None = None,
        last_name: str | None = None,
        groups: Iterable[Group | str] = (),
    ) -> User:
        """Registers a user. A new organization makes its founder the administrator; who comes to
        one that exists waits for approval (:meth:`update_user`), unless an administrator
        registers them, who may also say the groups."""
        return await self._perform(
            "register",
            User._of,
            caller=caller_json(caller),
            username=username,
            password=password,
            organization=organization,
            email=email,
            first_name=first_name,
            last_name=last_name,
            groups=[_id(group) for group in groups],
        )

    async def sign_in(self, username: str, password: str) -> Session:
        """Opens a session."""
        return await self._perform("sign_in", lambda it: Session(**it), username=username, password=password)

    async def refresh(self, session: Session | str) -> Session:
        """Trades a refresh token for the next session; each counts once."""
        token = session.refresh_token if isinstance(session, Session) else session
        return await self._perform("refresh", lambda it: Session(**it), refresh_token=token or "")

    async def sign_out(self, caller: Caller) -> None:
        """Ends the caller's session: its tokens are refused from now on."""
        return await self._perform("sign_out", _nothing, caller=caller_json(caller))

    async def me(self, caller: Caller) -> User:
        """Who the caller is."""
        return await self._perform("me", User._of, caller=caller_json(caller))

    async def users(self, caller: Caller) -> list[User]:
        """The users whom the caller sees."""
        found: list[User] = []
        after: str | None = None
        while True:
            part = await self._perform("users", _text, caller=caller_json(caller), after=after)
            found.extend(User._of(user) for user in part["items"])
            after = part["next"]
            if after is None:
                return found

    async def update_user(
        self,
        caller: Caller,
        user: User | str,
        *,
        is_active: bool | None = None,
        password: str | None = None,
        email: str | None = None,
        groups: Iterable[Group | str] | None = None,
    ) -> User:
        """Changes a user of the caller's organization; ``is_active=True`` approves. What is not
        given stays."""
        return await self._perform(
            "update_user",
            User._of,
            caller=caller_json(caller),
            user=user if isinstance(user, str) else user.id,
            is_active=is_active,
            password=password,
            email=email,
            groups=None if groups is None else [_id(group) for group in groups],
        )

    async def groups(self, caller: Caller) -> list[Group]:
        """The groups that the caller sees, by name."""
        found: list[Group] = []
        after: str | None = None
        while True:
            part = await self._perform("groups", _text, caller=caller_json(caller), after=after)
            found.extend(Group._of(group) for group in part["items"])
            after = part["next"]
            if after is None:
                return found

    async def create_group(
        self, caller: Caller, name: str, *, permissions: Iterable[Action], is_default: bool = False
    ) -> Group:
        """Makes a group in the caller's organization. Who registers joins those that are
        default."""
        return await self._perform(
            "create_group",
            Group._of,
            caller=caller_json(caller),
            name=name,
            permissions=list(permissions),
            is_default=is_default,
        )

    async def check_permission(
        self, caller: Caller, action: Action, service: str, *, user: User | str | None = None
    ) -> Permission:
        """Whether the caller, or a user whom the caller administers, may do something, and why."""
        return await self._perform(
            "check_permission",
            Permission._of,
            caller=caller_json(caller),
            action=action,
            service=service,
            user=user.id if isinstance(user, User) else user,
        )

    # -- services and their records ---------------------------------------------------------

    async def register_service(
        self,
        caller: Caller,
        service: Service | str,
        *,
        url: str | None = None,
        handler: Handler | None = None,
        openapi: Json = None,
        title: str | None = None,
        description: str | None = None,
        docs_endpoint: str | None = None,
        credential: str | None = None,
    ) -> RegisteredService:
        """Puts a service behind the gateway, for superusers. Its paths begin with its name.

        A :class:`Service`, or a name with a ``handler`` and its ``openapi`` document, runs in this
        process: do it at each start, or :meth:`attach`. A name with a ``url`` is somebody else's.
        """
        if isinstance(service, Service):
            name, handler, openapi, title = service.name, service, service.openapi, service.title
        else:
            name = service
        if (url is None) == (handler is None):
            raise ValueError("give a Service, or a name with either `url` or `handler`")
        if handler is not None:
            self._attach(name, handler, openapi)
        return await self._perform(
            "register_service",
            RegisteredService._of,
            caller=caller_json(caller),
            name=name,
            url=url,
            title=title,
            description=description,
            docs_endpoint=docs_endpoint,
            credential=credential,
        )

    async def services(self, caller: Caller) -> list[RegisteredService]:
        """The services behind the gateway, for superusers."""
        return await self._perform(
            "services",
            lambda it: [RegisteredService._of(one) for one in it],
            caller=caller_json(caller),
        )

    async def delete_service(self, caller: Caller, name: str) -> None:
        """Takes a service from behind the gateway, for superusers."""
        return await self._perform("delete_service", _nothing, caller=caller_json(caller), name=name)

    async def set_service_groups(
        self, caller: Caller, service: str, groups: Iterable[Group | str]
    ) -> None:
        """Lets exactly these groups use a service, as their permissions say, for superusers. One
        without groups is open to every signed-in user."""
        return await self._perform(
            "set_service_groups",
            _nothing,
            caller=caller_json(caller),
            service=service,
            groups=[_id(group) for group in groups],
        )

    async def create_record_type(
        self, caller: Caller, service: str, model: str, endpoint: str, *, key_field: str = "id"
    ) -> Declared:
        """Declares a kind of record that a service owns, for superusers: ``create_record_type(ada,
        "crm", "Contact", "/contact/")``."""
        return await self._perform(
            "create_record_type",
            lambda it: Declared(**it),
            caller=caller_json(caller),
            service=service,
            model=model,
            endpoint=endpoint,
            key_field=key_field,
        )

    async def create_relationship(
        self,
        caller: Caller,
        key: str,
        origin: Declared | str,
        related: Declared | str,
        *,
        foreign_key: str | None = None,
    ) -> Declared:
        """Declares that records of two types can be linked, for superusers. With ``?join`` the
        linked records stand under ``key``."""
        return await self._perform(
            "create_relationship",
            lambda it: Declared(**it),
            caller=caller_json(caller),
            key=key,
            origin=origin if isinstance(origin, str) else origin.id,
            related=related if isinstance(related, str) else related.id,
            foreign_key=foreign_key,
        )

    async def link(
        self,
        caller: Caller,
        origin_type: Declared | str,
        origin: str | int,
        related_type: Declared | str,
        related: str | int,
    ) -> str:
        """Links two records, by the full names of their types and their keys; gives the id of the
        link."""
        return await self._perform(
            "link",
            str,
            caller=caller_json(caller),
            origin_type=origin_type if isinstance(origin_type, str) else origin_type.name,
            origin=origin,
            related_type=related_type if isinstance(related_type, str) else related_type.name,
            related=related,
        )

    # -- workflows --------------------------------------------------------------------------

    async def check_template(self, caller: Caller, template: Json) -> list[Finding]:
        """What is wrong with a workflow template, a tree of levels as JSON has it."""
        return await self._perform(
            "check_template",
            lambda it: [Finding(**one) for one in it],
            caller=caller_json(caller),
            template=template,
        )

    async def publish_template(self, caller: Caller, template: Json) -> Template:
        """Saves and publishes a template as its next version; the error's ``fields`` say which
        levels must be mended."""
        return await self._perform(
            "publish_template",
            lambda it: Template(**it),
            caller=caller_json(caller),
            template=template,
        )

    async def start_run(
        self,
        caller: Caller,
        template: str,
        input: Json = None,
        *,
        version: int | None = None,
        business_key: str | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Starts a run. Starting with the same ``idempotency_key`` again gives the same run."""
        return await self._perform(
            "start_run",
            Run._of,
            caller=caller_json(caller),
            template=template,
            input=input,
            version=version,
            business_key=business_key,
            idempotency_key=idempotency_key,
        )

    async def run(self, caller: Caller, run: RunSummary | str) -> Run:
        """A run as it is now."""
        return await self._perform(
            "run", Run._of, caller=caller_json(caller), run=_run(run), wait=0.0, seen=None
        )

    async def wait_for_run(self, caller: Caller, run: RunSummary | str, timeout: float = 60.0) -> Run:
        """The run once it has ended, or as it is after so many seconds."""
        return await self._perform(
            "run", Run._of, caller=caller_json(caller), run=_run(run), wait=timeout, seen=None
        )

    async def wait_for_change(self, caller: Caller, run: Run, timeout: float = 60.0) -> Run:
        """The run once it has moved on from what is given, or as it is after so many seconds: to
        watch it step by step."""
        return await self._perform(
            "run", Run._of, caller=caller_json(caller), run=run.id, wait=timeout, seen=run.version
        )

    async def runs(
        self,
        caller: Caller,
        *,
        template: str | None = None,
        status: RunStatus | None = None,
        is_ended: bool | None = None,
        business_key: str | None = None,
        limit: int = 100,
    ) -> list[RunSummary]:
        """Runs, newest first, at most ``limit`` (and at most 1000)."""
        return await self._perform(
            "runs",
            lambda it: [RunSummary._of(one) for one in it["items"]],
            caller=caller_json(caller),
            template=template,
            status=status,
            is_ended=is_ended,
            business_key=business_key,
            after=None,
            limit=limit,
        )

    async def run_history(
        self, caller: Caller, run: RunSummary | str, *, after: int = 0, limit: int = 1000
    ) -> list[RunEvent]:
        """What happened in a run, oldest first, after the event of that number."""
        return await self._perform(
            "run_history",
            lambda it: [RunEvent._of(one) for one in it],
            caller=caller_json(caller),
            run=_run(run),
            after=after,
            limit=limit,
        )

    async def cancel_run(self, caller: Caller, run: RunSummary | str, reason: str = "") -> Run:
        """Ends a run and undoes what it did."""
        return await self._control(caller, run, {"cancel": {"reason": reason}})

    async def pause_run(self, caller: Caller, run: RunSummary | str) -> Run:
        """Lets nothing new begin in a run."""
        return await self._control(caller, run, {"pause": {}})

    async def resume_run(self, caller: Caller, run: RunSummary | str) -> Run:
        """Lets a run go on."""
        return await self._control(caller, run, {"resume": {}})

    async def retry_run(
        self,
        caller: Caller,
        run: RunSummary | str,
        *,
        activation: int | None = None,
        waive: bool = False,
    ) -> Run:
        """Does a level anew that needs attention. ``waive`` accepts that nobody knows what the
        last attempt did."""
        return await self._control(caller, run, {"retry": {"activation": activation, "waive": waive}})

    async def skip_undo(
        self, caller: Caller, run: RunSummary | str, *, activation: int | None = None
    ) -> Run:
        """Gives up a compensation that failed: a person has seen to it."""
        return await self._control(caller, run, {"skip": {"activation": activation}})

    async def set_variables(
        self, caller: Caller, run: RunSummary | str, values: Mapping[str, Json]
    ) -> Run:
        """Gives variables of a run new values."""
        return await self._control(caller, run, {"set_variables": {"values": dict(values)}})

    async def _control(self, caller: Caller, run: RunSummary | str, control: Json) -> Run:
        return await self._perform(
            "control_run", Run._of, caller=caller_json(caller), run=_run(run), control=control
        )

    async def send_signal(
        self,
        caller: Caller,
        name: str,
        *,
        key: str,
        run: RunSummary | str | None = None,
        business_key: str | None = None,
        payload: Json = None,
    ) -> list[str]:
        """Sends a signal to a run, or to all that have a business key; gives the runs that it is
        kept for. Two with the same ``key`` are one."""
        return await self._perform(
            "send_signal",
            lambda it: list(it),
            caller=caller_json(caller),
            name=name,
            key=key,
            run=None if run is None else _run(run),
            business_key=business_key,
            payload=payload,
        )

    async def report_event(self, caller: Caller, event: str, *, key: str, payload: Json = None) -> Heard:
        """Reports that something happened, which starts a run of each template that names it. Two
        reports with the same ``key`` are one."""
        return await self._perform(
            "report_event",
            Heard._of,
            caller=caller_json(caller),
            event=event,
            key=key,
            payload=payload,
        )

    async def tasks(
        self,
        caller: Caller,
        *,
        run: RunSummary | str | None = None,
        status: TaskStatus | None = None,
        is_mine: bool = False,
        limit: int = 100,
    ) -> list[Task]:
        """People's work, newest first: what the caller may do or has taken; all for who operates
        runs, unless ``is_mine``."""
        return await self._perform(
            "tasks",
            lambda it: [Task._of(one) for one in it["items"]],
            caller=caller_json(caller),
            run=None if run is None else _run(run),
            status=status,
            is_mine=is_mine,
            after=None,
            limit=limit,
        )

    async def task(self, caller: Caller, task: Task | str) -> Task:
        """A task with its form."""
        return await self._perform("task", Task._of, caller=caller_json(caller), task=_task(task))

    async def claim_task(self, caller: Caller, task: Task | str) -> Task:
        """Takes a task: nobody else can complete it then."""
        return await self._perform("claim_task", Task._of, caller=caller_json(caller), task=_task(task))

    async def complete_task(self, caller: Caller, task: Task | str, data: Json = None) -> Run:
        """Completes a task with what was filled in; gives its run."""
        return await self._perform(
            "complete_task", Run._of, caller=caller_json(caller), task=_task(task), data=data
        )

    # -- the journal ------------------------------------------------------------------------

    async def events(
        self,
        caller: Caller,
        *,
        kind: str | None = None,
        subject: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before_sequence: int | None = None,
        limit: int = 100,
    ) -> list[Event]:
        """The journal of the caller's organization, newest first, for its administrators: at most
        ``limit`` (and at most 1000) before an event's number. ``kind`` may be the beginning of
        one, such as ``auth``."""
        return await self._perform(
            "events",
            lambda it: [Event._of(one) for one in it],
            caller=caller_json(caller),
            kind=kind,
            subject=subject,
            actor=actor,
            until=None if until is None else _instant(until),
            before_sequence=before_sequence,
            limit=limit,
            **{"from": None if since is None else _instant(since)},
        )

    async def verify_journal(self) -> Verification:
        """Checks every chain of the journal. For whoever has opened the folder."""
        return await self._perform("verify_journal", Verification._of)

    async def backup(self, path: str) -> None:
        """Copies the whole state as it is at one moment to a new file. For whoever has opened the
        folder."""
        return await self._perform("backup", _nothing, path=path)


def _run(run: RunSummary | str) -> str:
    return run if isinstance(run, str) else run.id


def _task(task: Task | str) -> str:
    return task if isinstance(task, str) else task.id


def _instant(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError("give an instant with a time zone, such as datetime.now(timezone.utc)")
    return instant.isoformat()


