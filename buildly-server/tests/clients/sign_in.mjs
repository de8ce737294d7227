// Signs in with openid-client and checks the token by discovery with jose.
// Arguments: base URL, client id, user name, password. Prints `ok` at the end.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';

const [base, clientId, username, password] = process.argv.slice(2);
const config = await client.discovery(new URL(base), clientId, undefined, client.None(), {
  algorithm: 'oauth2',
  execute: [client.allowInsecureRequests],
});
const metadata = config.serverMetadata();
assert.equal(metadata.issuer, base);

const tokens = await client.genericGrantRequest(config, 'password', { username, password });
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const check = (token) => jwtVerify(token, keys, { issuer: base, audience: 'buildly' });
const { payload } = await check(tokens.access_token);
assert.equal(payload.username, username);
assert.equal(payload.token_type, 'access');

const [header, body, signature] = tokens.access_token.split('.');
const flipped = (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1);
await assert.rejects(check(`${header}.${body}.${flipped}`));

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
await client.tokenRevocation(config, refreshed.refresh_token);
await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token));
// The authorization code, with the page filled in as a person would.
const redirect = 'http://127.0.0.1:7171/back';
const application = {
  client_id: 'site',
  name: 'Site',
  client_type: 'public',
  authorization_grant_type: 'authorization-code',
  redirect_uris: 'http://127.0.0.1/back',
};
const fresh = await client.genericGrantRequest(config, 'password', { username, password });
const registered = await fetch(`${base}/oauth/applications/`, {
  method: 'POST',
  headers: { authorization: `Bearer ${fresh.access_token}`, 'content-type': 'application/json' },
  body: JSON.stringify(application),
});
assert.equal(registered.status, 201);
const site = await client.discovery(new URL(base), 'site', undefined, client.None(), {
  algorithm: 'oauth2',
  execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const address = client.buildAuthorizationUrl(site, {
  redirect_uri: redirect,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
});
const page = await (await fetch(address)).text();
const form = new URLSearchParams();
for (const [, name, value] of page.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)) {
  form.set(name, value);
}
form.set('username', username);
form.set('password', password);
form.set('decision', 'allow');
const agreed = await fetch(`${address.origin}${address.pathname}`, {
  method: 'POST',
  body: form,
  redirect: 'manual',
});
const back = new URL(agreed.headers.get('location'));
const granted = await client.authorizationCodeGrant(site, back, {
  pkceCodeVerifier: verifier,
  expectedState: state,
});
assert.equal((await check(granted.access_token)).payload.username, username);
await assert.rejects(
  client.authorizationCodeGrant(site, back, { pkceCodeVerifier: verifier, expectedState: state }),
);
console.log('ok');
