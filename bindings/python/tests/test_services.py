"""Services of this process and of others, behind the gateway."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import PASSWORD, World

import buildly


def greetings() -> buildly.Service:
    service = buildly.Service("greetings")

    @service.get("/hello/{name}/")
    def hello(request: buildly.Request, name: str) -> object:
        """Greets."""
        return {"greeting": f"Hello {name}", "query": request.query, "as": request.token is not None}

    @service.post("/hello/{name}/")
    def send(request: buildly.Request, name: str) -> buildly.Response:
        return buildly.Response.of_json({"to": name, "text": request.json()}, 201, {"x-sent": "yes"})

    @service.get("/fails/")
    def fails(request: buildly.Request) -> None:
        raise KeyError("a secret of the service")

    @service.get("/exits/")
    def exits(request: buildly.Request) -> None:
        raise SystemExit(3)

    @service.get("/unfit/")
    def unfit(request: buildly.Request) -> object:
        return {"value": object()}

    @service.get("/odd/")
    def odd(request: buildly.Request) -> object:
        return buildly.Response(9999)

    @service.get("/later/")
    async def later(request: buildly.Request) -> object:
        return {"later": True}

    return service


def test_a_function_answers_through_the_gateway(world: World) -> None:
    registered = world.buildly.register_service(world.ada, greetings())
    assert registered.name == "greetings" and registered.credential == "forward"
    answer = world.buildly.request("GET", "/greetings/hello/B%C3%B6b/?loud=1", caller=world.ada)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"greeting": "Hello Böb", "query": "loud=1", "as": True}
    sent = world.buildly.request("POST", "/greetings/hello/Bob/", caller=world.ada, json={"a": 1})
    assert (sent.status, sent.headers["x-sent"]) == (201, "yes")
    assert sent.json() == {"to": "Bob", "text": {"a": 1}}
    assert world.buildly.request("GET", "/greetings/later/", caller=world.ada).json() == {"later": True}


def test_strangers_and_unknown_paths_are_refused(world: World) -> None:
    world.buildly.register_service(world.ada, greetings())
    assert world.buildly.request("GET", "/greetings/hello/Bob/").status == 401
    assert world.buildly.request("GET", "/greetings/nothing/", caller=world.ada).status == 404
    assert world.buildly.request("GET", "/nobody/hello/", caller=world.ada).status == 404


@pytest.mark.parametrize("path", ["fails", "unfit"])
def test_a_function_that_raises_answers_500_and_tells_nothing(
    world: World, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.buildly.register_service(world.ada, greetings())
    answer = world.buildly.request("GET", f"/greetings/{path}/", caller=world.ada)
    assert answer.status == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text and "object" not in answer.json()["detail"]
    assert "greetings raised" in caplog.text
    with pytest.raises(buildly.CorruptError):
        answer.raise_for_status()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", ["exits", "odd"])
def test_nothing_that_a_function_does_ends_the_process(world: World, path: str) -> None:
    world.buildly.register_service(world.ada, greetings())
    assert world.buildly.request("GET", f"/greetings/{path}/", caller=world.ada).status == 500
    assert world.buildly.request("GET", "/greetings/hello/Bob/", caller=world.ada).is_ok


def test_a_function_that_never_returns_holds_up_nobody_else() -> None:
    never, service = threading.Event(), buildly.Service("slow")

    @service.get("/never/")
    def wait(request: buildly.Request) -> None:
        never.wait()

    with buildly.open() as deployment:
        deployment.create_superuser("ada", PASSWORD, organization="Acme")
        ada = deployment.sign_in("ada", PASSWORD)
        deployment.register_service(ada, service)
        deployment.register_service(ada, greetings())
        with pytest.raises(buildly.UnavailableError, match="within 0.2 s"):
            deployment.request("GET", "/slow/never/", caller=ada, timeout=0.2)
        assert deployment.request("GET", "/greetings/hello/Bob/", caller=ada).is_ok
    # Closing has not waited for it.
    never.set()


def test_a_function_may_use_the_deployment(world: World) -> None:
    world.buildly.register_service(world.ada, greetings())
    service = buildly.Service("outer")

    @service.get("/")
    def outer(request: buildly.Request) -> object:
        inner = world.buildly.request("GET", "/greetings/hello/inner/", caller=request.token)
        return {"me": world.buildly.me(request.token).username, "inner": inner.json()["greeting"]}

    world.buildly.register_service(world.ada, service)
    answer = world.buildly.request("GET", "/outer/", caller=world.ada)
    assert answer.json() == {"me": "ada", "inner": "Hello inner"}


def test_a_service_of_this_process_is_attached_at_the_next_start(tmp_path: Path) -> None:
    for start in range(2):
        with buildly.open(tmp_path) as deployment:
            if start == 0:
                deployment.create_superuser("ada", PASSWORD, organization="Acme")
                deployment.register_service(buildly.ActingAs("ada"), greetings())
            else:
                deployment.attach("greetings", greetings())
            ada = deployment.sign_in("ada", PASSWORD)
            assert deployment.request("GET", "/greetings/hello/Bob/", caller=ada).is_ok
    with buildly.open(tmp_path) as deployment:
        # Registering it at each start does as well.
        deployment.register_service(buildly.ActingAs("ada"), greetings())
        assert len(deployment.services(buildly.ActingAs("ada"))) == 1


class Answers(http.server.BaseHTTPRequestHandler):
    """A service in another process, as far as the gateway can see."""

    def do_GET(self) -> None:
        document = {
            "openapi": "3.0.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/thing/": {"get": {"operationId": "things", "responses": {}}}},
        }
        found = {"/docs/swagger.json": document, "/thing/": [{"id": 1}]}.get(self.path)
        body = json.dumps(found).encode()
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def elsewhere() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_is_reached_by_its_url(world: World) -> None:
    with elsewhere() as url:
        registered = world.buildly.register_service(
            world.ada, "things", url=url, docs_endpoint="docs/swagger.json"
        )
        assert registered.urls == (url,)
        assert world.buildly.request("GET", "/things/thing/", caller=world.ada).json() == [{"id": 1}]
        world.buildly.delete_service(world.ada, "things")
        assert world.buildly.request("GET", "/things/thing/", caller=world.ada).status == 404


def test_a_joined_page_holds_the_records_of_another_service(world: World) -> None:
    crm, documents = buildly.Service("crm"), buildly.Service("documents")
    asked: list[str] = []

    @crm.get("/contact/")
    def contacts(request: buildly.Request) -> object:
        return [{"id": 1, "name": "Bob"}, {"id": 2, "name": "Eve"}]

    @documents.get("/document/{id}/")
    def document(request: buildly.Request, id: str) -> object:
        asked.append(id)
        return {"id": int(id), "title": f"Document {id}"}

    for service in (crm, documents):
        world.buildly.register_service(world.ada, service)
    contact = world.buildly.create_record_type(world.ada, "crm", "Contact", "/contact/")
    paper = world.buildly.create_record_type(world.ada, "documents", "Document", "/document/")
    world.buildly.create_relationship(world.ada, "papers", contact, paper)
    for related in (10, 11):
        world.buildly.link(world.ada, contact, 1, paper, related)
    page = world.buildly.request("GET", "/crm/contact/?join", caller=world.ada).raise_for_status().json()
    assert [one["title"] for one in page[0]["papers"]] == ["Document 10", "Document 11"]
    assert page[1]["papers"] == [] and sorted(asked) == ["10", "11"]
    with pytest.raises(buildly.InvalidError):
        world.buildly.link(world.ada, contact, "", paper, 1)


def test_a_body_beyond_the_bound_is_refused(world: World) -> None:
    service = buildly.Service("big")

    @service.post("/")
    def take(request: buildly.Request) -> object:
        return "x" * 5000

    world.buildly.register_service(world.ada, service)
    large = bytes(1024**3)
    assert world.buildly.request("POST", "/big/", caller=world.ada, body=large).status == 413
    with pytest.raises(buildly.LimitedError, match="body_max"):
        world.buildly.request("POST", "/big/", caller=world.ada, body=b"{}", body_max=1000)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("G ET", "/x/", {}),
        ("GET", "x/", {}),
        ("GET", "http://elsewhere/x/", {}),
        ("GET", "/a b/", {}),
        ("GET", "/\x00/", {}),
        ("GET", "/x/", {"bad name": "x"}),
        ("GET", "/x/", {"x-line": "a\r\nb: c"}),
        ("GET", "/x/", {"x-wide": "\u20ac"}),
    ],
)
def test_what_is_no_request_is_invalid(
    world: World, method: str, path: str, headers: dict[str, str]
) -> None:
    with pytest.raises(buildly.InvalidError):
        world.buildly.request(method, path, headers=headers)
