"""Signs in with Authlib and checks the token by discovery with PyJWT.

Arguments: base URL, client id, user name, password. Prints `ok` at the end.
"""

import json
import sys
import urllib.request

import jwt
from authlib.integrations.requests_client import OAuth2Session

base, client_id, username, password = sys.argv[1:]
with urllib.request.urlopen(f"{base}/.well-known/openid-configuration") as answer:
    metadata = json.load(answer)
assert metadata["issuer"] == base, metadata

session = OAuth2Session(client_id, token_endpoint_auth_method="none")
token = session.fetch_token(metadata["token_endpoint"], username=username, password=password)
assert token["token_type"] == "Bearer", token


def claims_of(text):
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(text)
    algorithms = metadata["id_token_signing_alg_values_supported"]
    return jwt.decode(text, key.key, algorithms=algorithms, audience="buildly", issuer=base)


claims = claims_of(token["access_token"])
assert claims["username"] == username and claims["token_type"] == "access", claims
assert claims["sub"] == claims["core_user_uuid"], claims

header, payload, signature = token["access_token"].split(".")
flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
try:
    claims_of(f"{header}.{payload}.{flipped}")
    raise SystemExit("a changed signature was accepted")
except jwt.InvalidSignatureError:
    pass

refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
assert refreshed["refresh_token"] != token["refresh_token"], "the refresh token was not traded"
assert claims_of(refreshed["access_token"])["sid"] == claims["sid"], "another session"
print("ok")
