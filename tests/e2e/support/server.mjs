// run-server as a child process: ports of its own, so that any number of them live side by side.

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Control } from './control.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const binary = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug', 'run-server');

// Another build of the package may be held against the same tests: a broken one must fail them.
const pkg = process.env.STEADYSTREAM_PKG ?? 'pkg';

// In one file, as an app's bundler makes it: a page of sixty modules, twenty times over six connections, takes half a minute. Unbundled
// it is loaded by tests/packaging.
let bundled;
const bundle = () => {
  bundled ??= (async () => {
    const outdir = await mkdtemp(join(tmpdir(), 'steadystream-pkg-'));
    await build({ absWorkingDir: root, entryPoints: [join(pkg, 'index.js')], bundle: true, format: 'esm', outdir, logLevel: 'error' });
    process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
    return outdir;
  })();
  return bundled;
};

/** Starts a server. `www`: what it serves. `app`, `control` are its addresses; `control` below is the client of its control API. */
export async function startServer({ www = 'www' } = {}) {
  const folders = ['--www', www, '--pkg', await bundle(), '--tests', join('tests', 'e2e', 'pages')];
  const child = spawn(binary, ['--port', '0', '--control-port', '0', '--proxy-port', '0', ...folders], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const address = await readAddresses(child);
  return {
    app: address.app,
    controlOrigin: address.control,
    proxy: address.proxy,
    control: new Control(address.control),
    async stop() {
      child.kill();
      await ended;
    },
  };
}

function readAddresses(child) {
  return new Promise((resolve, reject) => {
    const address = {};
    child.once('error', (cause) => reject(new Error(`${binary} does not start: run \`make server\``, { cause })));
    child.once('exit', (code) => reject(new Error(`run-server ended with ${code} before it was ready`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [name, url] = line.split(' ');
      address[name] = url;
      if (address.app && address.control && address.proxy) resolve(address);
    });
  });
}
