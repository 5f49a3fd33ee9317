// Auth0's samlp as a SAML identity provider that encrypts, with a login form of its own.
//     node provider.mjs PORT HOME
// HOME/idp.key and HOME/idp.crt sign; HOME/sp.json is the one service provider that it knows:
// {"acs_url": "...", "encryption_certificate": "..."}.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import samlp from 'samlp';

const [port, home] = process.argv.slice(2);
const read = (name) => readFileSync(`${home}/${name}`, 'utf8');
const people = {
  bob: {
    id: 'bob',
    displayName: "Bob O'Neil & <Söhne>",
    name: { givenName: 'Bob', familyName: "O'Neil & <Söhne>" },
    emails: [{ value: 'bob@example.com' }],
  },
};

const sp = JSON.parse(read('sp.json'));
const encryptionCert = sp.encryption_certificate;
const answer = samlp.auth({
  issuer: `http://localhost:${port}/idp`,
  key: read('idp.key'),
  cert: read('idp.crt'),
  encryptionCert,
  encryptionPublicKey: createPublicKey(encryptionCert).export({ type: 'spki', format: 'pem' }),
  encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  recipient: sp.acs_url,
  destination: sp.acs_url,
  getPostURL: (audience, request, req, done) => done(null, sp.acs_url),
  responseHandler: (response, options, req, res) => send(res, post(options.postUrl, {
    SAMLResponse: response.toString('base64'), RelayState: req.query.RelayState,
  })),
});

const quoted = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

function post(url, fields) {
  const inputs = Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${quoted(value)}">`);
  return `<!doctype html><form method="post" action="${quoted(url)}">${inputs.join('')}</form>`;
}

const form = `<!doctype html><title>Sign in</title><form method="post">
  <label>User <input name="login"></label>
  <label>Password <input type="password" name="password"></label>
  <button type="submit">Sign in</button></form>`;

function send(res, text, status = 200) {
  res.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' });
  res.end(text);
}

createServer(async (req, res) => {
  const url = new URL(req.url, `http://localhost:${port}`);
  if (url.pathname !== '/sso' || req.method === 'GET') return send(res, form);
  let body = '';
  for await (const chunk of req) body += chunk;
  const given = new URLSearchParams(body);
  const login = given.get('login');
  if (!Object.hasOwn(people, login) || given.get('password') !== `${login}pass`) return send(res, form);
  // The request came by the redirect that showed the form.
  const query = Object.fromEntries(url.searchParams);
  answer({ method: 'GET', query, user: people[login] }, res, (error) => {
    console.error(error);
    send(res, String(error), 500);
  });
}).listen(Number(port), '127.0.0.1');
