"""Opened, used by threads, forked, closed; and what nobody should hand over."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import PASSWORD, World

import buildly
from buildly import _native
from buildly._operations import Operations


def test_a_folder_is_opened_again_with_what_was_in_it(tmp_path: Path) -> None:
    with buildly.open(tmp_path / "data") as deployment:
        assert deployment.is_open
        deployment.create_superuser("ada", PASSWORD, organization="Acme")
    with buildly.open(str(tmp_path / "data")) as deployment:
        assert deployment.me(deployment.sign_in("ada", PASSWORD)).username == "ada"


def test_a_folder_belongs_to_one(tmp_path: Path) -> None:
    with buildly.open(tmp_path), pytest.raises(buildly.UnavailableError):
        buildly.open(tmp_path)


def test_a_temporary_folder_is_gone_once_it_is_closed() -> None:
    deployment = buildly.open()
    assert os.path.isdir(deployment.path)
    deployment.close()
    assert not os.path.exists(deployment.path)


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(buildly.UnavailableError, match="file"):
        buildly.open(tmp_path / "file")


def test_nothing_can_be_asked_after_closing() -> None:
    deployment = buildly.open()
    deployment.close()
    deployment.close()
    assert not deployment.is_open
    with pytest.raises(buildly.ClosedError, match="open it again"):
        deployment.me(None)
    with pytest.raises(buildly.ClosedError):
        deployment.request("GET", "/x/")
    with pytest.raises(buildly.ClosedError):
        deployment.attach("x", lambda request: None, {})


def test_closing_ends_what_others_wait_for(world: World) -> None:
    world.buildly.publish_template(
        world.ada, {"name": "w", "levels": [{"name": "a", "do": {"wait": {"signal": {"name": "go"}}}}]}
    )
    run = world.buildly.start_run(world.ada, "w")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(world.buildly.wait_for_run, world.ada, run, 600.0)
        time.sleep(0.2)
        world.buildly.close()
        with pytest.raises(buildly.BuildlyError):
            waiting.result(timeout=30)


def test_two_threads_use_one_handle(world: World) -> None:
    service, met = buildly.Service("both"), threading.Barrier(2, timeout=30)

    @service.get("/")
    def both(request: buildly.Request) -> object:
        # Passes only while both calls are under way: neither holds the interpreter.
        met.wait()
        return {"me": world.buildly.me(request.token).username}

    world.buildly.register_service(world.ada, service)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(world.buildly.request, "GET", "/both/", caller=world.ada) for _ in range(2)]
        assert [call.result(60).json() for call in calls] == [{"me": "ada"}] * 2
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda n: world.buildly.create_group(world.ada, f"g{n}", permissions=["read"]), range(40)
            )
        )
    assert len({group.id for group in made}) == 40


def test_a_thread_that_waits_does_not_hold_the_interpreter(world: World) -> None:
    world.buildly.publish_template(
        world.ada, {"name": "w", "levels": [{"name": "a", "do": {"wait": {"signal": {"name": "go"}}}}]}
    )
    run = world.buildly.start_run(world.ada, "w")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(world.buildly.wait_for_run, world.ada, run, 60.0)
        world.buildly.send_signal(world.ada, "go", key="1", run=run)
        assert waiting.result(60).status == "completed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_is_refused_and_does_no_harm(world: World) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing"
        try:
            world.buildly.me(world.ada)
        except buildly.ForkedError as error:
            said = f"forked: {error}"
        except BaseException as error:  # noqa: B036
            said = repr(error)
        world_of_child, world.buildly = world.buildly, world.buildly
        try:
            world_of_child.close()
        except buildly.ForkedError:
            said += "; close refused"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    said = os.read(reader, 4096).decode()
    os.close(reader)
    assert status == 0 and said.startswith("forked: ") and "open it after the fork" in said
    assert said.endswith("; close refused")
    assert world.buildly.me(world.ada).username == "ada"


FORKED = """
import os, sys, buildly
deployment = buildly.open(sys.argv[1])
child = os.fork()
if child == 0:
    # Dropped, and the interpreter ended, in a process that has none of its threads.
    del deployment
    sys.exit(7)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 7, status
deployment.create_superuser("ada", "Correct-horse-9-battery", organization="Acme")
print("ok")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_ends_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout.strip()) == (0, "ok"), ended.stderr


UNCLOSED = """
import sys, threading, buildly
deployment = buildly.open(sys.argv[1])
service = buildly.Service("slow")
service.get("/")(lambda request: threading.Event().wait())
deployment.create_superuser("ada", "Correct-horse-9-battery", organization="Acme")
ada = deployment.sign_in("ada", "Correct-horse-9-battery")
deployment.register_service(ada, service)
try:
    deployment.request("GET", "/slow/", caller=ada, timeout=0.1)
except buildly.UnavailableError:
    print("ok")
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_closing_leaves_no_thread_and_no_file_behind(tmp_path: Path) -> None:
    def left() -> tuple[int, int]:
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

    before = left()
    for _ in range(5):
        with buildly.open(tmp_path) as deployment:
            service = buildly.Service("s")
            service.get("/")(lambda request: None)
            deployment.attach("s", service)
            with pytest.raises(buildly.UnauthenticatedError):
                deployment.sign_in("nobody", PASSWORD)
    deadline = time.monotonic() + 10
    while left() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    threads, files = left()
    assert threads <= before[0] and files <= before[1]


def test_a_program_ends_that_closes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UNCLOSED, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout.strip()) == (0, "ok"), ended.stderr
    with buildly.open(tmp_path) as deployment:
        assert deployment.sign_in("ada", PASSWORD)


def test_a_handle_that_is_dropped_lets_go_of_the_folder(tmp_path: Path) -> None:
    native = _native.Deployment(tmp_path, None, True, 2)
    assert native.is_open
    del native
    gc.collect()
    for _ in range(100):
        try:
            buildly.open(tmp_path).close()
            return
        except buildly.UnavailableError:
            time.sleep(0.1)
    pytest.fail("the folder is still in use")


def test_an_interrupt_ends_the_waiting(world: World) -> None:
    world.buildly.publish_template(
        world.ada, {"name": "w", "levels": [{"name": "a", "do": {"wait": {"signal": {"name": "go"}}}}]}
    )
    run = world.buildly.start_run(world.ada, "w")
    # Whoever starts the tests in the background has them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            world.buildly.wait_for_run(world.ada, run, timeout=600)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 30
    assert world.buildly.me(world.ada).username == "ada"


@pytest.mark.parametrize(
    "template",
    [float("nan"), {"a": object()}, {1, 2}, "\ud800", {"name": "\x00", "levels": []}, None, [], 10**400],
    ids=repr,
)
def test_what_json_cannot_express_is_invalid(world: World, template: object) -> None:
    with pytest.raises(buildly.InvalidError):
        world.buildly.publish_template(world.ada, template)


@pytest.mark.parametrize("run", ["", "nope", "\ud800", "00000000-0000-0000-0000-00000000000"])
def test_a_text_that_is_no_id_is_invalid(world: World, run: str) -> None:
    with pytest.raises(buildly.InvalidError):
        world.buildly.run(world.ada, run)


@pytest.mark.parametrize("wait", [-1.0, float("inf")])
def test_a_wait_without_end_is_invalid(world: World, wait: float) -> None:
    with pytest.raises(buildly.InvalidError):
        world.buildly.wait_for_run(world.ada, "01890a5d-ac96-774b-bcce-b302099a8057", timeout=wait)


@pytest.mark.parametrize("token", ["", "nope", "a.b.c", "x" * 1_000_000, "\x00"])
def test_a_token_that_is_none_is_refused(world: World, token: str) -> None:
    with pytest.raises(buildly.UnauthenticatedError):
        world.buildly.me(token)


def test_the_native_half_refuses_what_it_does_not_know(world: World) -> None:
    native = world.buildly._native
    for operation, arguments, error in [
        ("nope", "{}", buildly.NotFoundError),
        ("me", "", buildly.InvalidError),
        ("me", "[]", buildly.InvalidError),
        ("me", '{"caller": "anonymous", "more": 1}', buildly.InvalidError),
        ("me", '{"caller": {"root": true}}', buildly.InvalidError),
    ]:
        with pytest.raises(error):
            native.call(operation, arguments)
    for wrong in (None, 1, b"x"):
        with pytest.raises(TypeError):
            native.call(wrong, "{}")  # type: ignore[arg-type]


def test_every_operation_has_a_method() -> None:
    reached = {
        constant
        for method in vars(Operations).values()
        if callable(method)
        for constant in method.__code__.co_consts
        if isinstance(constant, str)
    }
    assert set(_native.operations()) <= reached


def test_every_kind_of_error_has_an_exception() -> None:
    kinds = {error.kind for error in buildly.BuildlyError.__subclasses__()}
    assert kinds == {
        *("invalid", "unauthenticated", "forbidden", "not_found"),
        *("conflict", "limited", "unavailable", "corrupt"),
        *("closed", "forked"),
    }
