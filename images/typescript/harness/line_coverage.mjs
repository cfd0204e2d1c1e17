// Coverage by lines from V8: executable are the lines on which a debugger could stop, executed those in a range that
// was counted.

import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { inWorkspace } from './failures.mjs';
import { compiledSource } from './resolution.mjs';

// Calls of the inspector answer at once within the thread that they are about.
function ask(session, method, parameters) {
  let answer;
  session.post(method, parameters, (error, result) => {
    answer = error ? undefined : result;
  });
  return answer;
}

function lineStarts(source) {
  const starts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function countAt(ranges, offset) {
  let best;
  for (const range of ranges) {
    const covers = range.startOffset <= offset && offset < range.endOffset;
    if (covers && (!best || range.endOffset - range.startOffset <= best.endOffset - best.startOffset)) best = range;
  }
  return best ? best.count : 0;
}

function mapOf(source) {
  const found = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/.exec(source ?? '');
  return found ? new SourceMap(JSON.parse(Buffer.from(found[1], 'base64'))) : undefined;
}

function linesOf(session, script) {
  const compiled = compiledSource(script.url);
  const source = compiled ?? readFileSync(fileURLToPath(script.url), 'utf8');
  const starts = lineStarts(source);
  const ranges = script.functions.flatMap((one) => one.ranges);
  const start = { scriptId: script.scriptId, lineNumber: 0 };
  const places = ask(session, 'Debugger.getPossibleBreakpoints', { start })?.locations ?? [];
  const map = mapOf(compiled);
  const lines = new Map();
  for (const { lineNumber, columnNumber } of places) {
    const offset = starts[lineNumber] + columnNumber;
    // The end of a function is no statement; what Node appends is none of the file's.
    if (!(offset < source.length) || source[offset] === '}') continue;
    const line = map ? (map.findEntry(lineNumber, columnNumber).originalLine ?? -1) : lineNumber;
    if (line >= 0) lines.set(line + 1, lines.get(line + 1) || countAt(ranges, offset) > 0);
  }
  const executable = [...lines.keys()].sort((a, b) => a - b);
  return { executable, executed: executable.filter((line) => lines.get(line)) };
}

export function startCoverage() {
  const session = new Session();
  session.connect();
  ask(session, 'Profiler.enable');
  ask(session, 'Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  return session;
}

// Tells the lines of every file of the workspace that was loaded.
export function tellCoverage(session, tell) {
  const scripts = ask(session, 'Profiler.takePreciseCoverage')?.result ?? [];
  ask(session, 'Debugger.enable');
  for (const script of scripts) {
    const path = script.url.startsWith('file://') ? inWorkspace(script.url) : '';
    if (path && !path.includes('node_modules/')) tell({ path, ...linesOf(session, script) });
  }
}
