// Says of an error what kind it is and where in the workspace it comes from.

import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const MESSAGE_CHARACTERS = 2000;
const FRAME = /(?:^|\(|at (?:async )?)((?:file:\/\/)?\/[^():]+):(\d+)(?::\d+)?\)?$/;
const OTHER_RUNNERS = /\b(vitest|jest|@jest\/globals|mocha|ava|jasmine|uvu)\b/;
const THEIR_GLOBALS = /^(describe|it|test|expect|jest|beforeEach|afterEach|suite|vi) is not defined$/;

const ROOT = process.cwd();

// The path inside the workspace, or an empty string.
export function inWorkspace(file) {
  const path = relative(ROOT, file.startsWith('file://') ? fileURLToPath(file) : file);
  return path.startsWith('..') || path.startsWith('/') || path.startsWith('node_modules/') ? '' : path;
}

function firstFrame(stack) {
  for (const line of stack.split('\n')) {
    const found = FRAME.exec(line.trim());
    const path = found ? inWorkspace(found[1]) : '';
    if (path) return { path, line: Number(found[2]) };
  }
  return undefined;
}

// A module that is not there: the import that asked for it.
function importOf(error) {
  const [, wanted, importer] = /'([^']+)' imported from (.+)$/.exec(error.message.split('\n', 1)[0]) ?? [];
  const path = importer ? inWorkspace(importer) : '';
  if (!path) return undefined;
  const name = wanted.split('/').at(-1).replace(/\.[cm]?[jt]s$/, '');
  const at = readFileSync(join(ROOT, path), 'utf8').split('\n').findIndex((line) => /import|require|from/.test(line) && line.includes(name));
  return { path, line: at + 1 };
}

function kindOf(error, stack) {
  if (error.code === 'ERR_ASSERTION' || error.name === 'AssertionError') return 'assertion';
  if (/^ERR_(MODULE|PACKAGE|UNSUPPORTED_DIR|IMPORT|REQUIRE|UNKNOWN_FILE)|MODULE_NOT_FOUND$/.test(error.code)) return 'import';
  if (/does not provide an export named|Cannot find module/.test(error.message)) return 'import';
  return error instanceof SyntaxError || /^SyntaxError\b/m.test(stack) ? 'syntax' : 'exception';
}

function hint(message) {
  if (!OTHER_RUNNERS.test(message) && !THEIR_GLOBALS.test(message)) return '';
  return "\nTests are run by `node --test`: import test, describe and it from 'node:test', and assert from 'node:assert'.";
}

function described(error) {
  if (!(error instanceof Error)) {
    const message = typeof error === 'string' ? error : `${error?.message ?? String(error)}`;
    return { message, kind_of_failure: 'exception', path: '', line: 0 };
  }
  const message = `${error.message}`;
  const stack = `${error.stack}`;
  const place = importOf(error) ?? firstFrame(stack) ?? { path: '', line: 0 };
  const named = message.startsWith(error.name) ? message : `${error.name}: ${message}`;
  return { message: named + hint(message), kind_of_failure: kindOf(error, stack), ...place };
}

// The fields of a record for a thrown value, which may be anything.
export function failureOf(error) {
  try {
    const found = described(error);
    return { ...found, message: found.message.slice(0, MESSAGE_CHARACTERS) };
  } catch {
    return { message: 'the error cannot be read', kind_of_failure: 'exception', path: '', line: 0 };
  }
}
