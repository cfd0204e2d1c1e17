// Which files of the workspace are tests: the names that `node --test` looks for, those ending in `.spec` and the
// folder `__tests__` besides.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';

export const CODE = /\.[cm]?[jt]s$/;
const TYPES_ONLY = /\.d\.[cm]?ts$/;
const TEST_NAME = /^(?:test|test-.*|.*[._-](?:test|spec))\.[cm]?[jt]s$/;
const TEST_FOLDER = /(?:^|\/)(?:test|__tests__)\//;
const NEVER = new Set(['node_modules', 'coverage']);

// Every file of code under a folder, in order; dot folders and installed packages are left out.
export function codeFiles(folder = '.') {
  const found = [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.') && !NEVER.has(entry.name)) found.push(...codeFiles(path));
    else if (entry.isFile() && CODE.test(entry.name) && !TYPES_ONLY.test(entry.name)) found.push(path);
  }
  return found;
}

const isTest = (path) => TEST_NAME.test(basename(path)) || TEST_FOLDER.test(path);

function filesOf(wanted) {
  const path = relative('.', resolve(wanted.split('::', 1)[0])) || '.';
  if (path.startsWith('..') || !existsSync(path)) return [];
  return statSync(path).isDirectory() ? codeFiles(path).filter(isTest) : [path.split(sep).join('/')];
}

// The test files that are asked for, all when nothing is, and the names that stand for none.
export function selectTests(wanted, control) {
  const unknown = wanted.filter((one) => filesOf(one).length === 0);
  const files = wanted.length ? wanted.flatMap(filesOf) : codeFiles().filter(isTest);
  return { files: [...new Set([...files, ...(control ? [control] : [])])], unknown };
}
