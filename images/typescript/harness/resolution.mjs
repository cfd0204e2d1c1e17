// Lets TypeScript be written as it mostly is: imports without a suffix, or with the suffix of the compiled file, and
// syntax that has to be compiled rather than stripped (enums, parameter properties, namespaces).

import { existsSync, readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

const TYPESCRIPT = /\.[cm]?ts$/;
const GUESSES = ['.ts', '.js', '.mts', '.mjs', '/index.ts', '/index.js'];
const MODULE_SYNTAX = /^\s*(?:import|export)\b/m;
const compiled = new Map();

function guessed(specifier, parent) {
  const url = new URL(specifier, parent).href;
  const candidates = [...GUESSES.map((end) => url + end)];
  if (/\.[cm]?js$/.test(url)) candidates.unshift(url.replace(/js$/, 'ts'));
  return candidates.find((candidate) => existsSync(fileURLToPath(candidate)));
}

// For a file that was compiled, the source that V8 saw, in which a source map is embedded.
export const compiledSource = (url) => compiled.get(url);

export function understandTypeScript(inside) {
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        const relative = /^\.{1,2}(?:\/|$)/.test(specifier) && context.parentURL?.startsWith(inside);
        const url = relative ? guessed(specifier, context.parentURL) : undefined;
        if (url === undefined) throw error;
        return next(url, context);
      }
    },
    load(url, context, next) {
      if (!url.startsWith(inside) || !TYPESCRIPT.test(url) || url.includes('/node_modules/')) return next(url, context);
      const source = readFileSync(fileURLToPath(url), 'utf8');
      try {
        stripTypeScriptTypes(source);
        return next(url, context);
      } catch (error) {
        if (error.code !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return next(url, context);
      }
      process.setSourceMapsEnabled(true);
      const code = stripTypeScriptTypes(source, { mode: 'transform', sourceMap: true, sourceUrl: url });
      compiled.set(url, code);
      const guess = MODULE_SYNTAX.test(source) ? 'module' : 'commonjs';
      return { format: context.format?.replace('-typescript', '') ?? guess, source: code, shortCircuit: true };
    },
  });
}
