// One thing after another, each as if the browser had begun it: all microtasks of one have run before the next (HTML, perform a
// microtask checkpoint). From a loop of ours they would wait for its end, since our frames are on the stack.
//
// The browser makes that checkpoint behind every listener that it calls itself. So a message to a port of ours has many
// listeners, and each takes one thing: a task for each of them would cost ten times as much.

const LISTENERS = 64;

let port;
let receiver;
let isPosted = false;
let queue = [];
let next = 0;

const step = () => {
  if (next === queue.length) return;
  const fn = queue[next];
  next += 1;
  if (next === queue.length) {
    queue = [];
    next = 0;
  }
  fn();
};

const post = () => {
  isPosted = true;
  port.postMessage(0);
  // On a server, a port keeps the process while it has something to tell, and not longer.
  receiver.ref?.();
};

const open = () => {
  const channel = new MessageChannel();
  receiver = channel.port1;
  port = channel.port2;
  // The same function would count once.
  for (let i = 1; i < LISTENERS; i += 1) receiver.addEventListener('message', () => step());
  receiver.addEventListener('message', () => {
    step();
    isPosted = false;
    receiver.unref?.();
    if (queue.length > 0) post();
  });
  receiver.start();
};

/** Runs `fn` in a turn of its own, behind all that were given before. */
export const inTurn = (fn) => {
  if (!port) open();
  queue.push(fn);
  if (!isPosted) post();
};
