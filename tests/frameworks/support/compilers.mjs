// What turns a framework's own files into JavaScript: Svelte's compiler, Vue's, and Babel with Solid's preset. React's need none but
// the bundler.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformAsync } from '@babel/core';
import solid from 'babel-preset-solid';
import { compile, compileModule } from 'svelte/compiler';
import { compileScript, parse } from 'vue/compiler-sfc';

const here = fileURLToPath(new URL('.', import.meta.url));

const COMPILERS = [
  [/\.svelte$/, (source, filename, isServer) => compile(source, { filename, generate: isServer ? 'server' : 'client', css: 'injected' }).js.code],
  [/\.svelte\.js$/, (source, filename, isServer) => compileModule(source, { filename, generate: isServer ? 'server' : 'client' }).js.code],
  [/\.vue$/, (source, filename) => compileScript(parse(source, { filename }).descriptor, { id: filename, inlineTemplate: true }).content],
  [/\.solid\.jsx$/, async (source, filename, isServer) => {
    const presets = [[solid, { generate: isServer ? 'ssr' : 'dom', hydratable: true }]];
    return (await transformAsync(source, { filename, babelrc: false, configFile: false, presets })).code;
  }],
];

/** Plugins for esbuild. `given`: files that are not on the disk, by their names; their importers say `given:NAME`. */
export const plugins = ({ isServer, given = {} }) => {
  const compiled = COMPILERS.map(([filter, make]) => ({
    name: String(filter),
    setup(builder) {
      builder.onLoad({ filter, namespace: 'file' }, async ({ path }) => ({ contents: await make(await readFile(path, 'utf8'), basename(path), isServer) }));
      builder.onLoad({ filter, namespace: 'given' }, async ({ path }) => ({ contents: await make(given[path], path, isServer), resolveDir: here }));
    },
  }));
  const others = {
    name: 'given',
    setup(builder) {
      builder.onResolve({ filter: /^given:/ }, ({ path }) => ({ path: path.slice('given:'.length), namespace: 'given' }));
      builder.onLoad({ filter: /.*/, namespace: 'given' }, ({ path }) => ({ contents: given[path], loader: 'jsx', resolveDir: here }));
    },
  };
  return [...compiled, others];
};
