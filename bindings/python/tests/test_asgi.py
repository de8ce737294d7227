"""The gateway mounted in web frameworks."""

from __future__ import annotations

import asyncio
from typing import Any

import django.conf
import django.core.asgi
import httpx
import pytest
from conftest import World
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

import buildly
import buildly.asgi


def echo() -> buildly.Service:
    service = buildly.Service("echo")

    @service.post("/said/{what}/")
    def said(request: buildly.Request, what: str) -> object:
        forwarded = request.headers.get("x-forwarded-proto")
        return {"what": what, "query": request.query, "body": request.json(), "proto": forwarded}

    @service.get("/large/")
    def large(request: buildly.Request) -> buildly.Response:
        return buildly.Response(200, buildly.Headers({"content-type": "text/plain"}), b"x" * 3_000_000)

    return service


def bearer(world: World) -> dict[str, str]:
    return {"authorization": f"Bearer {world.ada.token}"}


def test_starlette_mounts_the_gateway_beside_its_own_routes(world: World) -> None:
    world.buildly.register_service(world.ada, echo())
    gateway = buildly.asgi.Gateway(world.buildly, body_max=1_000_000)
    own = Route("/own", lambda request: JSONResponse("own"))
    with TestClient(Starlette(routes=[own, Mount("/api", gateway)])) as client:
        assert client.get("/own").json() == "own"
        answer = client.post(
            "/api/echo/said/a%2Fb%20%C3%B6/?q=%26", json={"n": 1}, headers=bearer(world)
        )
        assert answer.status_code == 200, answer.text
        assert (answer.json()["what"], answer.json()["query"]) == ("a/b ö", "q=%26")
        assert answer.json()["body"] == {"n": 1}
        assert len(client.get("/api/echo/large/", headers=bearer(world)).content) == 3_000_000
        assert client.post("/api/echo/said/x/", json={}).status_code == 401
        assert client.get("/api/nothing/here/", headers=bearer(world)).status_code == 404
        too_large = client.post("/api/echo/said/x/", content=b"x" * 1_000_001, headers=bearer(world))
        assert too_large.status_code == 413
        with pytest.raises(Exception), client.websocket_connect("/api/echo/large/"):
            pass


def test_it_is_an_application_of_its_own(world: World) -> None:
    world.buildly.register_service(world.ada, echo())
    with TestClient(buildly.asgi.Gateway(world.buildly)) as client:
        assert client.post("/echo/said/x/", json=1, headers=bearer(world)).json()["body"] == 1
        world.buildly.close()
        assert client.post("/echo/said/x/", json=1, headers=bearer(world)).status_code == 503


def test_django_and_the_gateway_share_a_process(world: World) -> None:
    world.buildly.register_service(world.ada, echo())
    if not django.conf.settings.configured:
        django.conf.settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
        django.setup()
    pages = django.core.asgi.get_asgi_application()
    gateway = buildly.asgi.Gateway(world.buildly)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            await gateway({**scope, "root_path": "/api"}, receive, send)
        else:
            await pages(scope, receive, send)

    async def main() -> None:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post("/api/echo/said/x/", json=2, headers=bearer(world))
            assert answer.json()["body"] == 2
            assert (await client.get("/page/")).text == "a page"

    asyncio.run(main())


def _page(request: Any) -> Any:
    from django.http import HttpResponse

    return HttpResponse("a page")


def _urls() -> list[Any]:
    from django.urls import path

    return [path("page/", _page)]


urlpatterns = _urls()


def test_who_goes_away_is_not_answered(world: World) -> None:
    service, begun = buildly.Service("slow"), asyncio.Event()
    loop: list[asyncio.AbstractEventLoop] = []

    @service.get("/")
    async def slow(request: buildly.Request) -> None:
        loop[0].call_soon_threadsafe(begun.set)
        await asyncio.sleep(3)

    world.buildly.register_service(world.ada, service)

    async def main() -> None:
        loop.append(asyncio.get_running_loop())
        sent: list[Any] = []
        asked = iter([{"type": "http.request", "body": b""}])

        async def receive() -> Any:
            for message in asked:
                return message
            await begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        fields = [(b"host", b"x"), (b"authorization", f"Bearer {world.ada.token}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/slow/", "headers": fields}
        await asyncio.wait_for(buildly.asgi.Gateway(world.buildly)(scope, receive, send), 2.5)
        assert sent == []

    asyncio.run(main())


