// What the model says: prose, lists, tables and code, cut as tokens are. About a tenth of the tokens hold something outside
// ASCII; `foreign: 1` gives a run in other scripts throughout.

const SENTENCES = [
  'The connection was cut in the middle of a frame, and the reader simply started over at the last whole event. ',
  'Nothing here depends on luck: the cursor only moves once an event has been applied. ',
  'Most of the delay comes from a single query that scans the orders table twice. ',
  'Adding an index on `(region, day)` brings the p95 down from 480 ms to 31 ms. ',
  'You can safely retry this step, because the request carries its own id. ',
  'That is the whole trick.\n\n',
  'If the proxy buffers the response, the first token arrives late but complete. ',
  'I compared both plans and kept the one that reads fewer pages.\n\n',
  'Note that `Retry-After` may hold either seconds or a date. ',
  'The totals below leave out refunds & test orders (fewer than 0.3 % of rows). ',
  'When `a < b && b > c` holds, the fast path is taken. ',
  'The old behaviour is still there if you set `"compat": true`. ',
  '- **cursor**: the id of the last event that was applied\n- **replay**: everything after it\n',
  '| region | runs | p95 ms |\n|---|---|---|\n| north | 4,211 | 31.4 |\n| south | 873 | 480.0 |\n\n',
  '```rust\nfn next(&mut self) -> Option<&str> {\n    let (line, rest) = self.rest.split_once(\'\\n\')?;\n    Some(line)\n}\n```\n',
  '```ts\nfor await (const event of run) {\n\tif (event.type === \'content\') out += event.content ?? \'\';\n}\n```\n',
];

const FOREIGN = [
  'Соединение восстановлено, ничего не потеряно и не повторено. ',
  'Запит виконано за 31 мс замість 480. ',
  '接続が切れても、続きから正しく再開します。',
  '数据只发送一次,也只显示一次。',
  '연결이 끊겨도 이어서 받습니다. ',
  'Η σύνδεση επανήλθε και συνεχίζουμε κανονικά. ',
  'Cafe\u0301, nai\u0308ve, Å\u0323ngstro\u0308m — « très bien ». ',
  '👩‍👩‍👧‍👦 🧑🏽‍💻 🚀 🏳️‍🌈 ❤️‍🔥 ',
];

/** An endless supply of tokens of 1 to 8 characters. */
export const createTokens = (chance, foreign) => {
  let characters = [];
  let at = 0;
  return () => {
    if (at >= characters.length) {
      characters = [...chance.pick(chance.next() < foreign ? FOREIGN : SENTENCES)];
      at = 0;
    }
    const start = at;
    at += chance.between(1, 8);
    return characters.slice(start, at).join('');
  };
};

/** Arguments and result of a tool call, both JSON or plain text in a string. */
export const createCall = (chance, number) => {
  const failed = number % 5 === 4;
  return {
    callId: `call_${number}`,
    name: chance.pick(['sql', 'search', 'read_file']),
    ...(number % 3 === 0 && { agentName: 'researcher' }),
    arguments: JSON.stringify({ query: 'select region, sum(total) from orders where day >= $1 group by 1', limit: chance.between(3, 90) }),
    result: failed ? null : `| # | region | total |\n|---|---|---|\n| 1 | Zürich | ${chance.between(100, 99_999)} |\n| 2 | 東京 | <n/a> |\n`,
    error: failed ? 'sql: no answer within 3000 ms' : null,
    durationMs: chance.between(3, 3000),
  };
};
