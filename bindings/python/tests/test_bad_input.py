"""What nobody should hand over: a clear error, no crash, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest
from conftest import PASSWORD, World

import buildly
from buildly import _native

LEVELS = [{"name": "a", "do": {"wait": {"signal": {"name": "go"}}}}]


@pytest.mark.parametrize("path", ["", "a\0b"], ids=repr)
def test_a_path_that_is_none_is_invalid(path: str) -> None:
    with pytest.raises(buildly.InvalidError) as refused:
        buildly.open(path)
    assert [field.field for field in refused.value.fields] == ["path"]


def test_a_folder_may_have_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path / "data-") + b"\xff")
    with buildly.open(path) as deployment:
        assert deployment.is_open
    assert os.path.isdir(path)


@pytest.mark.parametrize("text", ["\ud800", "a\ud800b"], ids=repr)
def test_a_text_that_is_no_unicode_is_refused_everywhere(world: World, text: str) -> None:
    deployment, refused = world.buildly, (buildly.BuildlyError, UnicodeEncodeError)
    for ask in (
        lambda: deployment.sign_in(text, PASSWORD),
        lambda: deployment.me(text),
        lambda: deployment.create_group(world.ada, text, permissions=["read"]),
        lambda: deployment.request("GET", f"/{text}/"),
        lambda: deployment.request(text, "/x/"),
        lambda: deployment.request("GET", "/x/", headers={"x": text}),
        lambda: deployment.attach(text, lambda request: None, {}),
        lambda: deployment.attach("x", lambda request: None, text),
        lambda: deployment._native.call("me", text),
    ):
        with pytest.raises(refused):
            ask()
    assert deployment.me(world.ada).username == "ada"


@pytest.mark.parametrize("wrong", [None, 1, 1.5, "text", b"bytes", [], {}, object()], ids=repr)
def test_values_of_another_type_are_refused(world: World, wrong: Any) -> None:
    native: Any = world.buildly._native
    done = lambda value, error: None
    for ask in (
        lambda: native.call(wrong, wrong),
        lambda: native.request("GET", "/x/", wrong or 1, b"", None, 1),
        lambda: native.begin_request("GET", "/x/", [], wrong if wrong != b"bytes" else 1, None, None, done),
        lambda: native.attach(wrong, done, wrong),
        lambda: _native.Deployment(object(), wrong, True, 2),  # type: ignore[arg-type]
    ):
        with pytest.raises((TypeError, buildly.InvalidError, buildly.NotFoundError)):
            ask()
    assert world.buildly.me(world.ada).username == "ada"


def test_nobody_else_makes_a_handle() -> None:
    for kind in (_native.Answer, _native.Pending):
        with pytest.raises(TypeError):
            kind()
    with pytest.raises(TypeError):
        _native.Deployment.__new__(_native.Deployment)  # type: ignore[call-arg]


@pytest.mark.parametrize("timeout", [-1.0, math.nan, math.inf, -math.inf])
def test_a_time_that_is_none_is_invalid(world: World, timeout: float) -> None:
    with pytest.raises(buildly.InvalidError, match="timeout"):
        world.buildly.request("GET", "/x/", timeout=timeout)


def test_names_that_are_none_of_a_service_are_invalid(world: World) -> None:
    for name in ("", "a b", "a/b", "a\0", "x" * 61, "ä"):
        with pytest.raises(buildly.InvalidError, match="letters, digits"):
            world.buildly.attach(name, lambda request: None, {})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_function_throws_goes_no_further(world: World) -> None:
    class Odd(BaseException):
        def __str__(self) -> str:
            raise RuntimeError("even that")

    service = buildly.Service("throws")
    thrown: dict[str, BaseException] = {
        "keyboard": KeyboardInterrupt(),
        "exit": SystemExit(3),
        "generator": GeneratorExit(),
        "stop": StopIteration(),
        "recursion": RecursionError(),
        "odd": Odd(),
    }

    @service.get("/{what}/")
    def throws(request: buildly.Request, what: str) -> object:
        if what in thrown:
            raise thrown[what]
        return {"what": what}

    world.buildly.register_service(world.ada, service)
    for what in thrown:
        answer = world.buildly.request("GET", f"/throws/{what}/", caller=world.ada)
        assert answer.status == 500 and "even that" not in answer.text, what
    # What no handler of ours is: the native half alone keeps it from harm.
    for wrong in (None, 7, lambda: None, lambda *_: "text", lambda *_: (200, [(b"a b", b"")], b"")):
        world.buildly._native.attach("throws", wrong, '{"paths": {"/x/": {"get": {}}}}')  # type: ignore[arg-type]
        assert world.buildly.request("GET", "/throws/x/", caller=world.ada).status == 500
    assert world.buildly.me(world.ada).username == "ada"


def test_an_answer_beyond_the_bound_is_refused(world: World) -> None:
    service = buildly.Service("large")
    large = buildly.Response(200, buildly.Headers({}), bytes(65 * 1024 * 1024))
    service.get("/")(lambda request: large)
    world.buildly.register_service(world.ada, service)
    with pytest.raises(buildly.LimitedError, match="67108864 bytes"):
        world.buildly.request("GET", "/large/", caller=world.ada)
    answer = world.buildly.request("GET", "/large/", caller=world.ada, body_max=1 << 30)
    assert len(answer.body) == len(large.body)


def test_closing_ends_what_is_awaited_and_answers_that_were_begun() -> None:
    async def main() -> None:
        service = buildly.Service("s")
        service.get("/")(lambda request: "x")
        async with buildly.open_async() as deployment:
            await deployment.create_superuser("ada", PASSWORD, organization="Acme")
            ada = await deployment.sign_in("ada", PASSWORD)
            await deployment.register_service(ada, service)
            await deployment.publish_template(ada, {"name": "w", "levels": LEVELS})
            run = await deployment.start_run(ada, "w")
            waiting = asyncio.create_task(deployment.wait_for_run(ada, run, timeout=600))
            loop, begun = asyncio.get_running_loop(), asyncio.Future[_native.Answer]()

            def done(answer: Any, error: BaseException | None) -> None:
                loop.call_soon_threadsafe(begun.set_result, answer)

            token = [(b"authorization", f"Bearer {ada.token}".encode())]
            deployment._native.begin_request("GET", "/s/", token, b"", None, None, done)
            answer = await begun
            assert answer.status == 200
        with pytest.raises(buildly.BuildlyError):
            await asyncio.wait_for(waiting, 30)
        with pytest.raises(buildly.ClosedError):
            answer.read()
        told = asyncio.Future[BaseException | None]()
        answer.begin_read(lambda value, error: loop.call_soon_threadsafe(told.set_result, error))
        assert isinstance(await asyncio.wait_for(told, 30), buildly.ClosedError)

    asyncio.run(main())


def test_a_deadline_is_one_for_the_whole_answer() -> None:
    async def main() -> None:
        service, never = buildly.Service("slow"), threading.Event()
        service.get("/")(lambda request: never.wait())
        async with buildly.open_async() as deployment:
            await deployment.create_superuser("ada", PASSWORD, organization="Acme")
            ada = await deployment.sign_in("ada", PASSWORD)
            await deployment.register_service(ada, service)
            with pytest.raises(buildly.UnavailableError, match="within 0.2 s"):
                await deployment.request("GET", "/slow/", caller=ada, timeout=0.2)
        never.set()

    asyncio.run(main())


class Handles:
    """A handler that can be looked for."""

    def __call__(self, request: buildly.Request) -> object:
        return None


def test_a_function_is_let_go_once_nobody_calls_it() -> None:
    handlers = [Handles(), Handles()]
    seen = [weakref.ref(handler) for handler in handlers]
    with buildly.open() as deployment:
        deployment.attach("s", handlers[0], {})
        deployment.attach("s", handlers[1], {})
        handlers.clear()
        assert seen[1]() is not None
    deadline = time.monotonic() + 10
    while any(handler() for handler in seen) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert [handler() for handler in seen] == [None, None]


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read in /proc")
def test_what_is_refused_leaves_nothing_in_memory(world: World) -> None:
    wrong = "x" * 20_000

    def refuse(rounds: int) -> None:
        for _ in range(rounds):
            for ask in (
                lambda: world.buildly._native.call("me", f'{{"caller": "{wrong}"}}'),
                lambda: world.buildly.run(world.ada, wrong),
                lambda: world.buildly.request("GET", wrong),
                lambda: world.buildly.attach(wrong, lambda request: None, {}),
            ):
                with pytest.raises(buildly.BuildlyError):
                    ask()

    refuse(200)
    before = resident_bytes()
    refuse(1000)
    # Each round hands over 80 kB: kept once, it would be 80 MB.
    assert resident_bytes() - before < 24_000_000
