"""A service in Python: the products of a shop, with a checked token and its own OpenAPI document."""
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
import jwt

PRODUCTS = [{"id": f"00000000-0000-4000-8000-00000000000{n}", "name": name} for n, name in enumerate(("Vinyl", "Tape", "CD"))]
IDS = {"name": "id__in", "in": "query", "style": "form", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}, "description": "comma-separated"}
KEY = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
OPENAPI = {"openapi": "3.1.0", "info": {"title": "Products", "version": "1"}, "paths": {
    "/products/": {"get": {"operationId": "list_products", "parameters": [IDS], "responses": {"200": {"description": "all"}}}},
    "/products/{id}/": {"get": {"operationId": "read_product", "parameters": [KEY], "responses": {"200": {"description": "one"}}}}}}
keys = jwt.PyJWKClient(sys.argv[2])

class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if url.path in ("/docs/openapi.json", "/docs/swagger.json"):
            return self.answer(200, OPENAPI)
        try:
            token = self.headers.get("Authorization", "").partition(" ")[2]
            key = keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key.key, algorithms=[key.algorithm_name], options={"require": ["exp"], "verify_aud": False})
            assert claims.get("token_type") == "access"
        except Exception:
            return self.answer(401, {"detail": "The token is not valid."})
        wanted = parse_qs(url.query).get("id__in")
        found = [p for p in PRODUCTS if not wanted or p["id"] in wanted[0].split(",")]
        if url.path == "/products/":
            return self.answer(200, {"next": None, "previous": None, "results": found})
        one = [p for p in PRODUCTS if url.path == f"/products/{p['id']}/"]
        self.answer(*((200, one[0]) if one else (404, {"detail": "There is no such product."})))

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
