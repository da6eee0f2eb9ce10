// Gives the wasm's imports and exports short names, in the wasm and in wasm-bindgen's glue: the hashes in the long ones do
// not compress, and no minifier touches property names. And makes one import of each module: the glue has one for each
// function, under the same key of one object, and bundlers warn of that.
// usage: shorten-names.mjs engine_bg.wasm engine.js

import { readFileSync, writeFileSync } from 'node:fs';

const [wasmFile, glueFile] = process.argv.slice(2);
const wasm = readFileSync(wasmFile);
let glue = readFileSync(glueFile, 'utf8');

const IMPORTS = 2;
const EXPORTS = 7;

function readLeb(at) {
  let value = 0;
  let shift = 0;
  for (;;) {
    const byte = wasm[at++];
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) return [value >>> 0, at];
  }
}

function leb(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}

const named = (name) => {
  const text = Buffer.from(name);
  return Buffer.concat([leb(text.length), text]);
};

function readName(at) {
  const [length, start] = readLeb(at);
  return [wasm.toString('utf8', start, start + length), start + length];
}

/** Skips what an import's kind is followed by: a type index, a table, a memory, a global. */
function skipImportType(at) {
  const kind = wasm[at++];
  const skipLimits = (from) => {
    const hasMax = wasm[from] & 1;
    const [, behindMin] = readLeb(from + 1);
    return hasMax ? readLeb(behindMin)[1] : behindMin;
  };
  if (kind === 0) return readLeb(at)[1];
  if (kind === 1) return skipLimits(at + 1);
  if (kind === 2) return skipLimits(at);
  if (kind === 3) return at + 2;
  throw new Error(`import of kind ${kind}: shorten-names.mjs does not know it`);
}

let count = 0;
const short = () => {
  let name = '';
  for (let n = count++; ; n = Math.floor(n / 26) - 1) {
    name = String.fromCharCode(97 + (n % 26)) + name;
    if (n < 26) return name;
  }
};

/** Renames in the glue; a name that the glue does not know stays, and so does one that is a part of another word. */
function rename(name, isExport) {
  const pattern = new RegExp(`(?<![\\w$])${name.replace(/[$]/g, '\\$&')}(?![\\w$])`, 'g');
  if (!pattern.test(glue)) return name;
  const next = short();
  glue = isExport
    ? glue.replace(new RegExp(`(?<=wasm\\.)${name.replace(/[$]/g, '\\$&')}(?![\\w$])`, 'g'), next)
    : glue.replace(pattern, next);
  return next;
}

const modules = new Map();
const shortModule = (module) => {
  if (!modules.has(module)) modules.set(module, short());
  return modules.get(module);
};

function mergeModules() {
  const namespaces = new Map();
  glue = glue.replace(/^import \* as (import\d+) from "(.+)"\n/gm, (line, name, path) => {
    if (namespaces.has(path)) return '';
    namespaces.set(path, name);
    return line;
  });
  const keys = new Set();
  glue = glue.replace(/^( +)"(.+)": (import\d+),\n/gm, (_line, indent, module, name) => {
    if (keys.has(module)) return '';
    keys.add(module);
    return `${indent}${shortModule(module)}: ${namespaces.get(module) ?? name},\n`;
  });
}

const KEPT = new Set(['memory']);
const out = [wasm.subarray(0, 8)];
for (let at = 8; at < wasm.length;) {
  const id = wasm[at];
  const [length, start] = readLeb(at + 1);
  const end = start + length;
  if (id !== IMPORTS && id !== EXPORTS) {
    out.push(wasm.subarray(at, end));
  } else {
    let [entries, from] = readLeb(start);
    const body = [leb(entries)];
    for (; entries > 0; entries--) {
      if (id === IMPORTS) {
        const [module, behindModule] = readName(from);
        const [name, behindName] = readName(behindModule);
        from = skipImportType(behindName);
        // A snippet's own names are what its file exports.
        const next = module.startsWith('./snippets/') ? name : rename(name, false);
        body.push(named(shortModule(module)), named(next), wasm.subarray(behindName, from));
      } else {
        const [name, behindName] = readName(from);
        from = readLeb(behindName + 1)[1];
        body.push(named(KEPT.has(name) ? name : rename(name, true)), wasm.subarray(behindName, from));
      }
    }
    const section = Buffer.concat(body);
    out.push(Buffer.from([id]), leb(section.length), section);
  }
  at = end;
}

mergeModules();
writeFileSync(wasmFile, Buffer.concat(out));
writeFileSync(glueFile, glue);
