// Runs `node:test` in this one process and reports through the relay.
//
// Tamper-evident: ending the process, records of one's own on any descriptor, a stubbed `node:assert` (the control
// that must fail shares the process), results told twice. Not: code that takes over the classes inside of `node:test`
// or reads this process's memory through the inspector.

import { run } from 'node:test';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { failureOf, inWorkspace } from './failures.mjs';
import { startCoverage, tellCoverage } from './line_coverage.mjs';
import { openRecords } from './records.mjs';
import { understandTypeScript } from './resolution.mjs';
import { selectTests } from './selection.mjs';

const END_PATH = fileURLToPath(new URL('end.mjs', import.meta.url));
// How long files may take to clean up after themselves; a server that is left open would hold up the end for ever.
const CLEANING_MS = 500;

// What `node:test` tells, as records. Ids are `path::suite > test`; a name that comes again gets a number.
class Listener {
  #records;
  #ids = new Map();
  #used = new Map();
  #suites = new Set();
  #collected = 0;
  #running = false;
  #failures = new Map();
  #pending = new Map();
  #atEnd;
  bad = 0;

  constructor(records, atEnd) {
    this.#records = records;
    this.#atEnd = atEnd;
  }

  take(event) {
    const { type, data } = event;
    if (data.file === END_PATH) {
      if (type === 'test:complete') this.#atEnd();
    } else if (type === 'test:enqueue') this.#enqueue(data);
    else if (type === 'test:dequeue') this.#dequeue(data);
    else if (type === 'test:complete') this.#complete(data);
  }

  // A file that could not be loaded is told as a test of its own path.
  #isFile(data) {
    return data.nesting === 0 && data.name === data.file && data.line === 1;
  }

  #enqueue(data) {
    if (this.#isFile(data) || this.#ids.has(data.testId)) return;
    this.#name(data);
    if (data.type === 'suite') this.#suites.add(data.testId);
    else this.#count();
  }

  #name(data) {
    const parent = this.#ids.get(data.parentId);
    const base = parent ? `${parent} > ${data.name}` : `${inWorkspace(data.file ?? '')}::${data.name}`;
    const times = (this.#used.get(base) ?? 0) + 1;
    this.#used.set(base, times);
    this.#ids.set(data.testId, times === 1 ? base : `${base} (${times})`);
  }

  #count() {
    this.#collected += 1;
    if (this.#running) this.announce();
  }

  announce() {
    this.#records.record('collected', { count: this.#collected });
  }

  #dequeue(data) {
    if (!this.#running) {
      this.#running = true;
      this.announce();
    }
    if (this.#isFile(data)) return;
    this.#records.record('start', { id: this.#ids.get(data.testId) ?? data.name });
    if (!this.#suites.has(data.testId)) this.#pending.set(data.testId, data);
  }

  // Nothing is left that could wake up the tests that wait.
  abandon() {
    for (const [testId, data] of this.#pending) {
      const message = 'the test waits for something that never comes: its promise is not settled';
      const place = { path: inWorkspace(data.file ?? ''), line: data.line ?? 0 };
      const id = this.#ids.get(testId);
      this.#records.record('case', { id, outcome: 'failed', message, kind_of_failure: 'exception', ...place });
      this.bad += 1;
    }
    return this.#pending.size > 0;
  }

  #complete(data) {
    this.#pending.delete(data.testId);
    const { error, duration_ms: duration = 0, type } = data.details;
    const cause = error?.code === 'ERR_TEST_FAILURE' ? (error.cause ?? error) : error;
    if (error && data.todo === undefined) this.bad += 1;
    if (this.#isFile(data)) {
      if (error) this.#fileError(data, cause);
      return;
    }
    if (!this.#ids.has(data.testId)) this.#enqueue(data);
    const id = this.#ids.get(data.testId);
    const failure = error ? this.#located(data, error, cause) : {};
    if (type === 'suite') {
      if (error && error.failureType !== 'subtestsFailed') this.#records.record('error', { id, ...failure });
      return;
    }
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const outcome = skipped ? 'skipped' : error ? 'failed' : 'passed';
    this.#records.record('case', { id, outcome, duration_s: duration / 1000, ...failure });
  }

  // A test that failed because of a test inside of it points at the same place.
  #located(data, error, cause) {
    const inner = error.failureType === 'subtestsFailed' ? this.#failures.get(data.testId) : undefined;
    const failure = inner ? { ...inner, message: `${failureOf(cause).message}: ${inner.message}` } : failureOf(cause);
    const placed = failure.path ? failure : { ...failure, path: inWorkspace(data.file ?? ''), line: data.line ?? 0 };
    if (!this.#failures.has(data.parentId)) this.#failures.set(data.parentId, placed);
    return placed;
  }

  #fileError(data, cause) {
    const path = inWorkspace(data.file);
    const failure = failureOf(cause);
    this.#records.record('error', { id: path, ...failure, ...(failure.path ? {} : { path, line: 1 }) });
  }
}

function main([...wanted]) {
  const records = openRecords();
  const control = wanted[0]?.startsWith('--control=') ? wanted.shift().slice('--control='.length) : '';
  const { files, unknown } = selectTests(wanted, control);
  for (const id of unknown) records.record('error', { id, message: `there is no test file ${id}`, kind_of_failure: 'no_tests' });
  understandTypeScript(pathToFileURL(`${process.cwd()}/`).href);
  const session = startCoverage();
  const finish = () => {
    tellCoverage(session, (lines) => records.record('coverage', lines));
    records.finish(listener.bad || unknown.length || !files.length ? 1 : 0);
  };
  const listener = new Listener(records, () => setTimeout(finish, CLEANING_MS).unref());
  process.on('beforeExit', () => {
    if (listener.abandon()) finish();
  });
  if (!files.length) {
    listener.announce();
    finish();
  }
  const paths = [...files.map((file) => resolve(file)), END_PATH];
  const stream = run({ files: paths, isolation: 'none', concurrency: false });
  // The stream itself would tell of a test only after it has given up control, which an endless loop never does.
  stream.push = (event) => {
    if (event === null) finish();
    else listener.take(event);
    return true;
  };
}

main(process.argv.slice(2));
