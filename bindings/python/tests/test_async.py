"""The same with asyncio."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
from pathlib import Path

import pytest
from conftest import PASSWORD

import buildly
from buildly._async_operations import AsyncOperations
from buildly._operations import Operations

ROOT = Path(__file__).parents[1]


def test_everything_is_done_with_asyncio() -> None:
    async def main() -> None:
        service = buildly.Service("greetings")

        @service.get("/hello/{name}/")
        async def hello(request: buildly.Request, name: str) -> object:
            await asyncio.sleep(0)
            me = await deployment.me(request.token)
            return {"greeting": f"Hello {name}", "from": me.username}

        async with buildly.open_async() as deployment:
            await deployment.create_superuser("ada", PASSWORD, organization="Acme")
            ada = await deployment.sign_in("ada", PASSWORD)
            await deployment.register_service(ada, service)
            answers = await asyncio.gather(
                *(deployment.request("GET", f"/greetings/hello/{n}/", caller=ada) for n in range(8))
            )
            assert [answer.json()["greeting"] for answer in answers] == [f"Hello {n}" for n in range(8)]
            assert await deployment.check_permission(ada, "read", "greetings")
            template = {
                "name": "w",
                "levels": [{"name": "a", "do": {"wait": {"signal": {"name": "go"}}}}],
            }
            await deployment.publish_template(ada, template)
            run = await deployment.start_run(ada, "w")
            waiting = asyncio.create_task(deployment.wait_for_run(ada, run, timeout=60))
            await deployment.send_signal(ada, "go", key="1", run=run)
            assert (await waiting).status == "completed"
            assert (await deployment.events(ada, limit=1))[0].sequence > 1
            with pytest.raises(buildly.NotFoundError):
                await deployment.check_permission(ada, "read", "nope")
            with pytest.raises(buildly.LimitedError):
                await deployment.request("GET", "/greetings/hello/x/", caller=ada, body_max=3)
        with pytest.raises(buildly.ClosedError):
            await deployment.me(ada)

    asyncio.run(main())


def test_waiting_is_cancelled() -> None:
    async def main() -> None:
        async with buildly.open_async() as deployment:
            await deployment.create_superuser("ada", PASSWORD, organization="Acme")
            ada = await deployment.sign_in("ada", PASSWORD)
            levels = [{"name": "a", "do": {"wait": {"signal": {"name": "go"}}}}]
            await deployment.publish_template(ada, {"name": "w", "levels": levels})
            run = await deployment.start_run(ada, "w")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(deployment.wait_for_run(ada, run, timeout=600), 0.2)
            assert (await deployment.me(ada)).username == "ada"

    asyncio.run(main())


def test_the_awaited_operations_are_those_of_the_others() -> None:
    spec = importlib.util.spec_from_file_location("make_async", ROOT / "make_async.py")
    assert spec is not None and spec.loader is not None
    make_async = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_async)
    written = (ROOT / "python/buildly/_async_operations.py").read_text()
    assert make_async.made() == written, "run `python bindings/python/make_async.py`"
    for name, method in inspect.getmembers(Operations, inspect.isfunction):
        twin = getattr(AsyncOperations, name)
        assert inspect.signature(method) == inspect.signature(twin), name
        assert inspect.iscoroutinefunction(twin) or name == "_attach", name
