// Serves pages whose scripts are bundled as an app's are: the package under its own name, each framework's files by its own compiler.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { plugins } from './compilers.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const pkg = join(root, process.env.STEADYSTREAM_PKG ?? 'pkg');

const ENTRIES = ['index', 'react', 'svelte', 'vue', 'solid'];
const alias = Object.fromEntries(ENTRIES.map((name) => [name === 'index' ? 'steadystream' : `steadystream/${name}`, join(pkg, `${name}.js`)]).reverse());

/**
 * The bundle of `entry`, a path or `{ contents }`, as text: for the page, or with `isServer` for Node. `given`: files that are only in the
 * test, by their names.
 */
export async function bundle(entry, { isServer = false, given } = {}) {
  const { outputFiles: [{ text }] } = await build({
    ...(typeof entry === 'string' ? { entryPoints: [entry] } : { stdin: { ...entry, resolveDir: root, loader: 'jsx' } }), bundle: true, format: 'esm', platform: isServer ? 'node' : 'browser', target: 'es2022', write: false, logLevel: 'error',
    alias, plugins: plugins({ isServer, given }), nodePaths: [join(root, 'node_modules')],
    jsx: 'automatic', jsxDev: false,
    conditions: isServer ? [] : ['browser', 'development'],
    define: { 'process.env.NODE_ENV': '"development"', __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true' },
    // What React's server half is made of asks for Node's own modules by require().
    ...(isServer && { banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" } }),
  });
  return text;
}

/** The module that `entry` is on a server. */
export async function load(entry) {
  return import(`data:text/javascript;base64,${Buffer.from(await bundle(entry, { isServer: true })).toString('base64')}`);
}

const html = (script, { body = '', head = '' } = {}) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${head}`
  + `<div id="root">${body}</div><script type="module" src="/${script}"></script>`;

/**
 * Starts a site on a free port. `pages`: name -> the path of its script. `open(name, { body, head })` gives the address of a page, with
 * what a server has rendered into it.
 */
export async function serve(pages) {
  const scripts = new Map(await Promise.all(Object.entries(pages).map(async ([name, entry]) => [`/${name}.js`, await bundle(entry)])));
  const documents = new Map();
  const http = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://here');
    const isScript = scripts.has(pathname);
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(scripts.get(pathname) ?? documents.get(pathname));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const origin = `http://127.0.0.1:${http.address().port}`;
  return {
    page(name, rendered) {
      const path = `/${documents.size}`;
      documents.set(path, html(`${name}.js`, rendered));
      return origin + path;
    },
    stop() {
      http.closeAllConnections();
      http.close();
    },
  };
}
