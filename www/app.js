// The page: what the user does goes to the library, what the library says goes on the screen.
import { createRequestId } from '/pkg/index.js';
import { Activity } from './activity.js';
import { Announcer } from './announcer.js';
import { Badge } from './badge.js';
import { clientFor, onSends, sendOf } from './client.js';
import { Composer } from './composer.js';
import { setText } from './dom.js';
import { Drawers } from './drawers.js';
import { Earlier } from './earlier.js';
import { FaultPanel } from './fault-panel.js';
import { Inspector } from './inspector.js';
import { LadderChooser } from './ladder-chooser.js';
import { Past } from './past.js';
import { Sessions } from './sessions.js';
import { Sidebar } from './sidebar.js';
import { Stick } from './stick.js';
import { onTheme, toggleTheme } from './theme.js';
import { Tide } from './tide.js';
import { TracePanel } from './trace-panel.js';
import { TranscriptView } from './transcript-view.js';
import { NO_CONNECTION, isLive } from './turn.js';

const $ = (id) => document.getElementById(id);

// Sending it again unasked could run it twice.
const LOST = Object.freeze({
  code: 'lost',
  message: 'The page was reloaded before the server said which run this is, and nothing runs now.'
    + ' Retry sends the message again.',
});

const sessions = new Sessions(handleTurn);
const latest = () => sessions.current.latest;
let stopping = null;

const drawers = new Drawers();
const panel = new FaultPanel($('lab'), () => inspector.poll());
const past = new Past($('scroller'), $('past'), $('past-note'));
const earlier = new Earlier($('earlier'), $('chats'), (id, title) => enter(sessions.adopt(id, title)));
const sidebar = new Sidebar($('sessions'), enter);
const chooser = new LadderChooser($('chooser'), (ladder) => {
  panel.showProtocol(ladder.protocol);
  showPast(ladder);
});
const inspector = new Inspector($('inspector'), () => sessions.list.some((session) => session.latest?.isLive));
const tide = new Tide($('tide'), () => inspector.show(latest()?.snapshot ?? null, tide.rate));
const activity = new Activity($('activity'));
const badge = new Badge($('badge'));
const trace = new TracePanel($('trace'), $('trace-button'));
const announcer = new Announcer($('announcer'));
const stick = new Stick($('scroller'), [$('past'), $('transcript')], $('jump'));
const transcript = new TranscriptView($('transcript'), {
  retry: (turn, hadFocus) => {
    retry(turn);
    if (hadFocus) composer.focus();
  },
  reload: () => location.reload(),
  suggest: send,
});
const composer = new Composer($('composer'), { send, stop });

// ---- what the library says ----

function handleTurn(session, turn, before) {
  const { snapshot } = turn;
  const isSettling = isLive(before) && !isLive(snapshot);
  if (isSettling || snapshot.runId !== before.runId) {
    sessions.save();
    inspector.poll();
  }
  if (session !== sessions.current) {
    if (isSettling) session.hasNews = true;
    sidebar.update(session, sessions.current);
    return;
  }
  transcript.update(turn);
  showLatest();
  announcer.hear(snapshot);
}

onSends(() => {
  for (const turn of sessions.current.turns) transcript.update(turn);
  showLatest();
});

// Everything on the screen that is about the run, not the text.
function showLatest() {
  const turn = latest();
  const snapshot = turn?.snapshot ?? null;
  badge.show(snapshot?.connection ?? NO_CONNECTION);
  activity.show(snapshot, turn !== null && sendOf(turn) === 'pending');
  trace.show(turn, sessions.current.id);
  tide.show(turn);
  inspector.show(snapshot, tide.rate);
  composer.show(!turn?.isLive ? 'idle' : turn === stopping ? 'stopping' : 'live');
  sidebar.update(sessions.current, sessions.current);
}

// What the server remembers, and what runs at it, where the protocol says how it is asked.
function showPast({ id, protocol }) {
  const client = protocol === 'ws-chat' ? clientFor(id) : null;
  // One feed for all ladders, which is a stream whatever they are.
  sidebar.follow(protocol === 'bichat' ? clientFor('bichat.fetch').activeRuns({ retainTerminalMs: 3000 }) : null);
  past.show(sessions.current, client);
  earlier.show(sessions, client);
}

function showSession() {
  const session = sessions.current;
  setText($('title'), session.title);
  document.title = session.turns.length > 0 ? `${session.title} · steadystream` : 'steadystream';
  sidebar.show(sessions);
  transcript.show(session);
  showPast(chooser.chosen);
  announcer.forget();
  showLatest();
  stick.toLatest();
}

// ---- what the user does ----

async function send(question) {
  const session = sessions.current;
  const turn = sessions.ask(session, question, chooser.id);
  showSession();
  await panel.ready();
  start(session, turn);
}

/** Sends the question of a turn. The request id is the turn's own: however often it is sent, it is one run. */
function start(session, turn) {
  attempt(turn, () => turn.follow(clientFor(turn.via).send(session.id, turn.question, { requestId: turn.requestId })));
}

/** After a reload: the run may still be on, or be over while its log is still there; otherwise nobody has the answer. */
async function pickUp(session, turn) {
  const client = clientFor(turn.via);
  const { runId } = turn.snapshot;
  try {
    const stream = await client.resume(session.id) ?? (runId ? client.open({ sessionId: session.id, runId }) : null);
    if (stream) turn.follow(stream);
    else turn.fail(LOST);
  } catch (error) {
    turn.fail(error);
  }
}

function retry(turn) {
  const session = sessions.list.find(({ turns }) => turns.includes(turn));
  attempt(turn, () => {
    if (turn.retry()) return;
    const { status, runId } = turn.snapshot;
    turn.begin();
    if (status === 'interrupted' && runId) {
      turn.follow(clientFor(turn.via).open({ sessionId: session.id, runId }));
      return;
    }
    // A run that failed is over: what comes now is another one.
    if (runId) turn.requestId = createRequestId();
    start(session, turn);
  });
}

async function stop() {
  const turn = latest();
  if (!turn?.isLive || turn === stopping) return;
  stopping = turn;
  showLatest();
  try {
    await turn.stop();
  } catch (error) {
    announcer.say(error.message);
  }
  stopping = null;
  showLatest();
}

function attempt(turn, action) {
  try {
    action();
  } catch (error) {
    turn.fail(error);
  }
}

function enter(session) {
  drawers.close();
  if (session !== sessions.current) sessions.enter(session);
  showSession();
  if (matchMedia('(pointer: fine)').matches) composer.focus();
}

$('new-chat').addEventListener('click', () => {
  const empty = sessions.list.find((session) => session.turns.length === 0);
  enter(empty ?? sessions.add());
});
$('theme').addEventListener('click', toggleTheme);
onTheme((isDark) => $('theme').setAttribute('aria-pressed', String(isDark)));

// ---- start ----

showSession();
for (const session of sessions.list) {
  for (const turn of session.turns) if (turn.isLive) pickUp(session, turn);
}

// For the console and the tests: the exact snapshot, not its rendering.
globalThis.demo = {
  get sessionId() { return sessions.current.id; },
  get snapshot() { return latest()?.snapshot ?? null; },
  get drops() { return latest()?.drops ?? 0; },
  get trace() { return latest()?.trace ?? []; },
};
