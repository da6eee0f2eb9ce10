// A chat as its user reloads it: takes up what there is of a session, or begins it, and notes what the first painted frame had.
import { RunClient } from '/pkg/index.js';

const { sessionId, message = 'Hello', options } = JSON.parse(new URLSearchParams(location.search).get('with'));
const [answer, badge] = ['answer', 'status'].map((id) => document.getElementById(id));

const kept = { first: null, shownAt: null, texts: [], errors: [], isResumed: false };
window.kept = kept;

const show = ({ text, status }) => {
  kept.shownAt ??= text === '' ? null : performance.now();
  kept.texts.push(text);
  answer.textContent = text;
  badge.textContent = status;
};

// Nothing is painted before the callbacks of the first frame have run.
requestAnimationFrame(() => { kept.first = { text: answer.textContent, status: badge.textContent }; });

const client = new RunClient(options);
kept.client = client;

const begin = (run) => {
  kept.run = run;
  kept.cursor = run.getSnapshot().cursor;
  run.subscribe(show);
  run.finished.then((outcome) => { kept.outcome = { ...outcome, error: outcome.error?.code ?? null }; });
};

kept.ready = client.resume(sessionId).then((resumed) => {
  kept.isResumed = resumed !== null;
  begin(resumed ?? client.send(sessionId, message));
});
