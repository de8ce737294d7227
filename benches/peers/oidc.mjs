// oidc-provider (panva) with its in-memory adapter, so nothing is durable: client credentials and
// introspection; opaque access tokens, or JWTs signed with ES256.
import { Provider } from 'oidc-provider';
import { generateKeyPairSync } from 'node:crypto';

const port = Number(process.env.PORT), isJwt = process.env.FORMAT === 'jwt';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'bench', client_secret: 'a-secret-of-the-bench', grant_types: ['client_credentials'],
    redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256' }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'k1' }] },
  scopes: ['api:read'],
  features: {
    clientCredentials: { enabled: true }, introspection: { enabled: true }, devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true, defaultResource: () => (isJwt ? 'urn:api' : undefined), useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'api:read', audience: 'urn:api', accessTokenTTL: 3600,
        accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
});
provider.on('server_error', (context, error) => console.error(error));
provider.listen(port, '127.0.0.1');
