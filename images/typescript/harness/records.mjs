// Writes records for the relay. What it needs of the runtime is taken before any code of the workspace is loaded.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const write = writeSync;
const { stringify } = JSON;
const from = Buffer.from;
const exit = process.reallyExit.bind(process);

// The channel that the relay names on standard input.
export function openRecords() {
  const [path, token] = readFileSync(0, 'utf8').split('\n');
  const fd = openSync(path, 'w');
  const send = (line) => {
    const bytes = from(`${token}${line}\n`);
    for (let at = 0; at < bytes.length; ) at += write(fd, bytes, at);
  };
  return {
    record: (kind, fields) => send(` ${stringify({ kind, ...fields })}`),
    // Nothing that the workspace registered for the end of the process has a say in the result.
    finish: (status) => {
      send(`=${status}`);
      closeSync(fd);
      exit(status);
    },
  };
}
