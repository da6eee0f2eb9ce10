// What the AI SDK server says: the chunks of one answer, which no model made.

const WORDS = ['Nothing', 'is', 'lost', '再接続', 'und', 'nichts', 'doppelt', '🙂', 'Соединение', 'восстановлено', '👩‍👩‍👧', 'in', '31', 'ms'];

/** The chunks of an answer to `question`; `words` is how long its text is. */
export function* answerTo(question, words = 120) {
  yield { type: 'start', messageMetadata: { model: 'scripted' } };
  yield { type: 'start-step' };
  yield* said('reasoning', 'r-1', 12);
  yield { type: 'data-progress', id: 'lookup', data: { state: 'running' } };
  yield* called('call-1', 'lookup', { question, limits: [1, 2.5], note: 'süß "quoted" 漢字' });
  yield { type: 'data-progress', id: 'lookup', data: { state: 'done' } };
  yield { type: 'data-notice', data: { text: 'only now' }, transient: true };
  yield { type: 'finish-step' };
  yield { type: 'start-step' };
  yield { type: 'source-url', sourceId: 's-1', url: 'https://docs.example.com/a?b=1&c=2', title: 'Quelle' };
  yield { type: 'text-start', id: '0' };
  yield { type: 'text-delta', id: '0', delta: `You asked: ${question}\n` };
  for (let n = 0; n < words; n++) yield { type: 'text-delta', id: '0', delta: `${WORDS[(n * 5) % WORDS.length]} ` };
  yield { type: 'text-end', id: '0' };
  yield { type: 'finish-step' };
  yield { type: 'finish', finishReason: 'stop', messageMetadata: { usage: { outputTokens: words } } };
}

function* said(kind, id, words) {
  yield { type: `${kind}-start`, id };
  for (let n = 0; n < words; n++) yield { type: `${kind}-delta`, id, delta: `${WORDS[n % WORDS.length]} ` };
  yield { type: `${kind}-end`, id };
}

function* called(toolCallId, toolName, input) {
  yield { type: 'tool-input-start', toolCallId, toolName };
  for (const inputTextDelta of JSON.stringify(input).match(/.{1,7}/gsu)) yield { type: 'tool-input-delta', toolCallId, inputTextDelta };
  yield { type: 'tool-input-available', toolCallId, toolName, input };
  for (const percent of [30, 60]) yield { type: 'tool-output-available', toolCallId, output: { percent }, preliminary: true };
  yield { type: 'tool-output-available', toolCallId, output: { rows: ['a', 'b'], percent: 100 } };
}
