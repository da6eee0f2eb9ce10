// Starts the consumers' tools. What they print is shown only when they fail.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const DEADLINE_MS = 300_000;

// No colour, which would cut the addresses that they print; nobody is told of our builds.
const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', NEXT_TELEMETRY_DISABLED: '1' };
// What Node's test runner tells its children, and what would make theirs speak its protocol.
delete env.NODE_TEST_CONTEXT;

/** In a group of its own, so that whatever a tool starts ends with it. */
function start([program, ...args], cwd) {
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', all: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.out += text;
    said.all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => { said.all += text; });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch { /* it has ended */ }
  };
  return { child, said, end };
}

const failure = (command, what, said) => new Error(`${command.join(' ')}: ${what}\n${said.all.trimEnd()}`);

/** Runs a command to its end, gives what it printed to stdout. */
export async function finish(command, cwd) {
  const { child, said, end } = start(command, cwd);
  const timer = setTimeout(end, DEADLINE_MS);
  const [status, signal] = await once(child, 'close');
  clearTimeout(timer);
  if (status !== 0) throw failure(command, signal ?? `exit ${status}`, said);
  return said.out;
}

/** Starts a server that prints its address, `command(port)`; gives that, and what stops it. */
export async function serve(command, cwd) {
  const port = await freePort();
  const words = command(port);
  const { child, said, end } = start(words, cwd);
  const origin = `http://127.0.0.1:${port}`;
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      end();
      reject(failure(words, 'it told no address', said));
    }, DEADLINE_MS);
    child.stdout.on('data', () => {
      if (!said.out.includes(`:${port}`)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('exit', (status) => {
      clearTimeout(timer);
      reject(failure(words, `exit ${status}`, said));
    });
  });
  return { origin, stop: end, said: () => said.all };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
