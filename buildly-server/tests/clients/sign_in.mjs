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
console.log('ok');
