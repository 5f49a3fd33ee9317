// Makes calls with the official Node SDK for a test written in Python.
//     node runner.mjs
// The first line of standard input is the client's configuration; each further line is one call,
// {"method": "sso.saml.createConnection", "args": [{...}, {...}]}. Each call is answered by one
// line: {"result": ...}, or {"error": {...}} with what the SDK's exception carries.
import { createInterface } from 'node:readline';
import stytch from 'stytch';

function describe(error) {
  const { name, message, stack, ...fields } = error;
  return { class: error.constructor.name, message: error.message, ...fields };
}

async function answer(client, { method, args }) {
  const path = method.split('.');
  const name = path.pop();
  const group = path.reduce((object, key) => object?.[key], client);
  if (typeof group?.[name] !== 'function') {
    return { error: { class: 'TypeError', message: `the SDK has no method ${method}` } };
  }
  try {
    return { result: await group[name](...args) };
  } catch (error) {
    return { error: describe(error) };
  }
}

let client;
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (client === undefined) {
    client = new stytch.B2BClient(message);
  } else {
    console.log(JSON.stringify(await answer(client, message)));
  }
}
