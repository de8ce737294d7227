"""The orders of each organization, in a file of SQLite: pages, filters, and a POST that happens once for one key."""
import contextlib, json, sqlite3, sys, uuid
import flask, jwt, werkzeug.serving

def parameter(name, place="query", schema={"type": "string"}, **more):
    return {"name": name, "in": place, "schema": schema, **more}

LIST = {"type": "array", "items": {"type": "string"}}
ID = parameter("id", "path", required=True)
BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
OK = {"responses": {"200": {"description": "OK"}}}
OPENAPI = {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"}, "paths": {
    "/orders/": {
        "get": {"operationId": "list_orders", "parameters": [parameter("id__in", schema=LIST, style="form", explode=False),
            parameter("status"), parameter("limit", schema={"type": "integer"}), parameter("cursor")], **OK},
        "post": {"operationId": "create_order", "requestBody": BODY, "responses": {"201": {"description": "Made"}}}},
    "/orders/{id}/": {
        "get": {"operationId": "read_order", "parameters": [ID], **OK},
        "delete": {"operationId": "delete_order", "parameters": [ID], "responses": {"204": {"description": "Gone"}}}}}}
TABLES = """
    CREATE TABLE IF NOT EXISTS orders (organization, id, status, title, PRIMARY KEY (organization, id));
    CREATE TABLE IF NOT EXISTS answers (organization, caller, key, request, answer, PRIMARY KEY (organization, caller, key))"""
app, keys = flask.Flask(__name__), jwt.PyJWKClient(sys.argv[2])

def problem(status, detail):
    return {"status": status, "detail": detail}, status, {"Content-Type": "application/problem+json"}

@contextlib.contextmanager
def database():
    with contextlib.closing(sqlite3.connect("orders.db")) as connection, connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN IMMEDIATE")
        yield connection

@app.before_request
def check_token():
    if flask.request.endpoint == "document":
        return
    try:
        token = flask.request.headers.get("Authorization", "").removeprefix("Bearer ")
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key.key, algorithms=[key.algorithm_name], audience="buildly", leeway=30,
                            options={"require": ["exp", "sub"]})
    except jwt.PyJWKClientConnectionError:
        return problem(503, "The keys of the issuer cannot be read now.")
    except jwt.PyJWTError:
        return problem(401, "The token is not valid.")
    if claims.get("token_type") != "access":
        return problem(401, "The token is no access token.")
    if not claims.get("organization_uuid"):
        return problem(403, "The token belongs to no organization.")
    flask.g.organization, flask.g.caller = claims["organization_uuid"], claims["sub"]

@app.get("/docs/openapi.json")
def document():
    return OPENAPI

@app.get("/orders/")
def list_orders():
    asked = flask.request.args
    wanted = asked["id__in"].split(",") if "id__in" in asked else None
    limit = min(max(asked.get("limit", len(wanted) if wanted else 50, int), 1), 1000)
    query, values = "SELECT id, status, title FROM orders WHERE organization = ?", [flask.g.organization]
    if wanted:
        query, values = query + f" AND id IN ({', '.join('?' * len(wanted))})", values + wanted
    if "status" in asked:
        query, values = query + " AND status = ?", values + [asked["status"]]
    if "cursor" in asked:
        query, values = query + " AND id > ?", values + [asked["cursor"]]
    with database() as connection:
        rows = connection.execute(query + " ORDER BY id LIMIT ?", values + [limit + 1]).fetchall()
    page = [dict(row) for row in rows[:limit]]
    return {"next": page[-1]["id"] if len(rows) > limit else None, "previous": None, "results": page}

@app.post("/orders/")
def create_order():
    body, key = flask.request.get_json(), flask.request.headers.get("Idempotency-Key")
    title = body.get("title") if isinstance(body, dict) else None
    if not isinstance(title, str) or not title:
        return problem(400, "The field `title` is refused: expected some text.")
    request, mine = json.dumps(body, sort_keys=True), (flask.g.organization, flask.g.caller, key)
    with database() as connection:
        known = key and connection.execute(
            "SELECT request, answer FROM answers WHERE organization = ? AND caller = ? AND key = ?", mine).fetchone()
        if known and known["request"] != request:
            return problem(422, "This idempotency key was sent with another request.")
        if known:
            return json.loads(known["answer"]), 201
        order = {"id": str(uuid.uuid4()), "status": "open", "title": title}
        connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", (flask.g.organization, *order.values()))
        if key:
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", (*mine, request, json.dumps(order)))
        return order, 201

@app.get("/orders/<id>/")
def read_order(id):
    with database() as connection:
        row = connection.execute("SELECT id, status, title FROM orders WHERE organization = ? AND id = ?",
                                 (flask.g.organization, id)).fetchone()
    return dict(row) if row else problem(404, "There is no such order.")

@app.delete("/orders/<id>/")
def delete_order(id):
    with database() as connection:
        connection.execute("DELETE FROM orders WHERE organization = ? AND id = ?", (flask.g.organization, id))
    return "", 204

with database() as connection:
    connection.executescript(TABLES)
server = werkzeug.serving.make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True)
print(f"listening on http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
