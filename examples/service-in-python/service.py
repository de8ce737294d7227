"""A service in Python: the products of a shop, behind checked tokens, with an OpenAPI document of its own."""
import sys
import flask, jwt, werkzeug.serving

PRODUCTS = {str(number): {"id": str(number), "name": name} for number, name in enumerate(("Vinyl", "Tape", "CD"), 1)}
IDS = {"name": "id__in", "in": "query", "style": "form", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}}
KEY = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
OK = {"responses": {"200": {"description": "OK"}}}
OPENAPI = {"openapi": "3.1.0", "info": {"title": "Products", "version": "1"}, "paths": {
    "/products/": {"get": {"operationId": "list_products", "parameters": [IDS], **OK}},
    "/products/{id}/": {"get": {"operationId": "read_product", "parameters": [KEY], **OK}}}}
app, keys = flask.Flask(__name__), jwt.PyJWKClient(sys.argv[2])

@app.before_request
def check_token():
    try:
        token = flask.request.headers.get("Authorization", "").removeprefix("Bearer ")
        if flask.request.endpoint != "document":
            key = keys.get_signing_key_from_jwt(token)
            jwt.decode(token, key.key, algorithms=[key.algorithm_name], audience="buildly", options={"require": ["exp"]})
    except jwt.PyJWTError:
        return {"detail": "The token is not valid."}, 401

@app.get("/docs/openapi.json")
def document():
    return OPENAPI

@app.get("/products/")
def products():
    wanted = flask.request.args.get("id__in", ",".join(PRODUCTS)).split(",")
    return {"next": None, "previous": None, "results": [PRODUCTS[id] for id in wanted if id in PRODUCTS]}

@app.get("/products/<id>/")
def product(id):
    return PRODUCTS[id] if id in PRODUCTS else ({"detail": "There is no such product."}, 404)

server = werkzeug.serving.make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True)
print(f"listening on http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
