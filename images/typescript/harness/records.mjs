// Writes records for the relay. What it needs of the runtime is taken before any code of the workspace is loaded, and
// what it holds is asked for nothing that a prototype, which that code may change, would answer.

import { hash } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const write = writeSync;
const digest = hash;
const { stringify } = JSON;
const { from } = Buffer;
const { isArray } = Array;
const { setPrototypeOf } = Object;
const exit = process.reallyExit.bind(process);
const DIGEST_BYTES = 32;

// HMAC-SHA256, whose key is 64 characters of ASCII: one block, which stays text when it is padded. Node's own class
// keeps its steps on a prototype.
function authenticator(key) {
  const padded = (filler) => String.fromCharCode(...[...from(key)].map((byte) => byte ^ filler));
  const inner = padded(0x36);
  const outer = Buffer.concat([from(padded(0x5c)), Buffer.alloc(DIGEST_BYTES)]);
  const start = key.length;
  return (text) => {
    const within = digest('sha256', inner + text, 'buffer');
    for (let at = 0; at < DIGEST_BYTES; at++) outer[start + at] = within[at];
    return digest('sha256', outer, 'hex');
  };
}

// Without a prototype no `toJSON` has a say.
function bare(fields) {
  for (const name in fields) if (isArray(fields[name])) setPrototypeOf(fields[name], null);
  return setPrototypeOf(fields, null);
}

// The channel that the relay names on standard input.
export function openRecords() {
  const [path, key] = readFileSync(0, 'utf8').split('\n');
  const fd = openSync(path, 'w');
  const mac = authenticator(key);
  let sent = 0;
  const send = (said) => {
    const bytes = from(`${mac(`${sent++}${said}`)}${said}\n`);
    for (let at = 0; at < bytes.length; ) at += write(fd, bytes, at);
  };
  return {
    record: (kind, fields) => send(` ${stringify(bare({ kind, ...fields }))}`),
    // Nothing that the workspace registered for the end of the process has a say in the result.
    finish: (status) => {
      send(`=${status}`);
      closeSync(fd);
      exit(status);
    },
  };
}
