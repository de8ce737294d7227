// RS256 in nginx's own JavaScript: signature, issuer and end of a token, on every request.
const SPKI = '@SPKI@';
let key = null;
function claims(text) {
  const claims = JSON.parse(Buffer.from(text, 'base64url').toString());
  return claims.exp > Date.now() / 1000 && claims.iss === '@ISSUER@';
}
async function check(request) {
  try {
    const parts = (request.headersIn.Authorization || '').split(' ')[1].split('.');
    if (!key) {
      key = await crypto.subtle.importKey('spki', Buffer.from(SPKI, 'base64'),
        { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['verify']);
    }
    const good = await crypto.subtle.verify({ name: 'RSASSA-PKCS1-v1_5' }, key,
      Buffer.from(parts[2], 'base64url'), Buffer.from(parts[0] + '.' + parts[1]));
    request.return(good && claims(parts[1]) ? 204 : 401);
  } catch (error) {
    request.return(401);
  }
}
export default { check };
