// panva's certified oidc-provider with a login form of its own; everything lives in memory.
//     node provider.mjs PORT HOME
// HOME/clients.json is a list of client metadata, read at start; HOME/groups.json says who is in
// which groups ({"<login>": ["<group>", ...], ...}) and is read at every login.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const [port, home] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;

const people = {
  alice: { email: 'alice@example.com', email_verified: true, name: 'Alice Ärlig', given_name: 'Alice', family_name: 'Ärlig' },
  bob: { email: 'bob@example.com', email_verified: true, name: "Bob O'Neil & <Söhne>", given_name: 'Bob', family_name: "O'Neil & <Söhne>" },
  mallory: { email: 'mallory@example.com', email_verified: false, name: 'Mallory', given_name: 'Mallory', family_name: '' },
};

const read = (name) => JSON.parse(readFileSync(`${home}/${name}.json`, 'utf8'));

function claims(id) {
  return { sub: id, ...people[id], groups: read('groups')[id] ?? [] };
}

function privateKey(type, options, kid) {
  const { privateKey: key } = generateKeyPairSync(type, options);
  return { ...key.export({ format: 'jwk' }), use: 'sig', kid };
}

const provider = new Provider(issuer, {
  clients: read('clients'),
  jwks: {
    keys: [
      privateKey('rsa', { modulusLength: 2048 }, 'rsa-1'),
      privateKey('ec', { namedCurve: 'P-256' }, 'ec-1'),
    ],
  },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'given_name', 'family_name'],
    groups: ['groups'],
  },
  findAccount: (ctx, id) => people[id] && { accountId: id, claims: () => claims(id) },
  // Without its dispatcher, which refuses loopback, where our back-channel logout is.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  cookies: { keys: ['only-for-tests'] },
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  // Consent is not what is tested: whatever is asked for is granted.
  async loadExistingGrant(ctx) {
    const { client, session, params } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, IdToken: 3600, Interaction: 600, Session: 3600, Grant: 3600 },
});

function loginForm(ctx) {
  ctx.type = 'html';
  ctx.body = `<!doctype html><title>Sign in</title><form method="post">
    <label>User <input name="login"></label>
    <label>Password <input type="password" name="password"></label>
    <button type="submit">Sign in</button></form>`;
}

async function login(ctx) {
  let body = '';
  for await (const chunk of ctx.req) body += chunk;
  const form = new URLSearchParams(body);
  const name = form.get('login');
  const right = Object.hasOwn(people, name) && form.get('password') === `${name}pass`;
  await provider.interactionFinished(ctx.req, ctx.res, right
    ? { login: { accountId: name, amr: ['pwd'] } }
    : { error: 'access_denied', error_description: 'wrong password' });
  ctx.respond = false;
}

provider.use(async (ctx, next) => {
  if (!/^\/interaction\/[\w-]+$/.test(ctx.path)) return next();
  return ctx.method === 'GET' ? loginForm(ctx) : login(ctx);
});
provider.on('server_error', (ctx, error) => console.error(error));
provider.on('backchannel.error', (ctx, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1', () => console.log('ready', issuer));
