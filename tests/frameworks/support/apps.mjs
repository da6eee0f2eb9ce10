// The example apps as a user builds them: Vite, production mode, with the package from its packed tarball. What they need besides is
// what this repository has installed.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Builds both; gives the folder that has them, each under its name. */
export async function buildApps(names) {
  const out = await mkdtemp(join(tmpdir(), 'steadystream-apps-'));
  await run('npm', ['pack', '--silent', '--pack-destination', out], { cwd: join(root, 'pkg') });
  const [tarball] = (await readdir(out)).filter((name) => name.endsWith('.tgz'));
  await Promise.all(names.map(async (name) => {
    const app = join(root, 'tests', 'apps', name);
    const installed = join(app, 'node_modules', 'steadystream');
    await rm(installed, { recursive: true, force: true });
    await mkdir(installed, { recursive: true });
    await run('tar', ['-xzf', join(out, tarball), '-C', installed, '--strip-components=1']);
    await build({ root: app, logLevel: 'error', mode: 'production', build: { outDir: join(out, name), emptyOutDir: true } });
  }));
  return out;
}
