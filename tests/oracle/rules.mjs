// Each rule of the reducer as streams written by hand. A chunk that is a string is the frame's JSON text as it stands.
//
// `ends` is the message's parts at the end, `metadata` and `id` likewise where the rule is about them; `skipped` the numbers of
// the chunks that the package throws at: it stops there, we go on. Where the package does otherwise when it resumes a stream, the
// rule says what it does with the answer to a message that was sent. `differs` names the difference that a stream shows by its last
// chunk, behind which `ours` is what our parts are.

const start = (messageId) => ({ type: 'start', messageId });
const startStep = { type: 'start-step' };
const finishStep = { type: 'finish-step' };
const resetStep = { type: 'reset-step' };
const finish = { type: 'finish', finishReason: 'stop' };
const stepStart = { type: 'step-start' };

const begin = (kind, id, members) => ({ type: `${kind}-start`, id, ...members });
const delta = (kind, id, piece, members) => ({ type: `${kind}-delta`, id, delta: piece, ...members });
const end = (kind, id, members) => ({ type: `${kind}-end`, id, ...members });
const whole = (kind, id, piece) => [begin(kind, id), delta(kind, id, piece), end(kind, id)];

const call = (type, toolCallId, members) => ({ type: `tool-${type}`, toolCallId, ...members });
const inputStart = (id, toolName, members) => call('input-start', id, { toolName, ...members });
const inputDelta = (id, inputTextDelta) => call('input-delta', id, { inputTextDelta });
const input = (id, toolName, value, members) => call('input-available', id, { toolName, input: value, ...members });
const inputError = (id, toolName, value, members) => call('input-error', id, { toolName, input: value, errorText: 'bad input', ...members });
const output = (id, value, members) => call('output-available', id, { output: value, ...members });
const outputError = (id, members) => call('output-error', id, { errorText: 'failed', ...members });
const request = (approvalId, toolCallId, members) => ({ type: 'tool-approval-request', approvalId, toolCallId, ...members });
const response = (approvalId, approved, members) => ({ type: 'tool-approval-response', approvalId, approved, ...members });
const data = (name, id, value, members) => ({ type: `data-${name}`, ...(id === undefined ? {} : { id }), data: value, ...members });
const metadata = (messageMetadata) => ({ type: 'message-metadata', messageMetadata });

const text = (value, state = 'done', members) => ({ type: 'text', text: value, state, ...members });
const reasoning = (id, value, state = 'done', members) => ({ type: 'reasoning', id, text: value, state, ...members });
const tool = (name, toolCallId, state, members) => ({ type: `tool-${name}`, toolCallId, state, ...members });
const dynamicTool = (toolName, toolCallId, state, members) => ({ type: 'dynamic-tool', toolName, toolCallId, state, ...members });

const pm = (n) => ({ providerMetadata: { p: { n } } });

/** A tool's input, written delta by delta: what is held at the end. */
const streamed = (rule, name, pieces, value) => ({
  rule, name,
  chunks: [inputStart('c', 't'), ...pieces.map((piece) => inputDelta('c', piece))],
  ends: [tool('t', 'c', 'input-streaming', { rawInput: pieces.join(''), ...(value === undefined ? {} : { input: value }) })],
});

export const RULES = [
  // ------------------------------------------------------------------------------------------------------------ the message
  { rule: 'U-R-1', name: 'a message is empty until something comes', chunks: [{ type: 'start' }, finish], ends: [], id: '' },
  {
    rule: 'U-R-1', name: 'what comes before the start stays', chunks: [...whole('text', 't', 'early'), start('m1'), ...whole('text', 't', 'late')],
    ends: [text('early'), text('late')], id: 'm1',
  },

  // ------------------------------------------------------------------------------------------------------ text and reasoning
  {
    rule: 'U-R-2', name: 'an id used again makes a new part', chunks: [...whole('text', 't', 'one'), ...whole('text', 't', 'two')],
    ends: [text('one'), text('two')],
  },
  {
    rule: 'U-R-2', name: 'an id begun again leaves the first part streaming',
    chunks: [begin('text', 't'), delta('text', 't', 'one'), begin('text', 't'), delta('text', 't', 'two'), end('text', 't')],
    ends: [text('one', 'streaming'), text('two')],
  },
  {
    rule: 'U-R-2', name: 'text and reasoning of one id are two',
    chunks: [begin('text', '0'), begin('reasoning', '0'), delta('text', '0', 'said'), delta('reasoning', '0', 'thought'), end('reasoning', '0'), delta('text', '0', '.')],
    ends: [text('said.', 'streaming'), reasoning('0', 'thought')],
  },
  {
    rule: 'U-R-3', name: 'deltas of interleaved ids go to their parts',
    chunks: [begin('text', 'a'), begin('text', 'b'), delta('text', 'b', 'B'), delta('text', 'a', 'A'), delta('text', 'b', 'b'), delta('text', 'a', 'a'), end('text', 'a'), end('text', 'b')],
    ends: [text('Aa'), text('Bb')],
  },
  {
    rule: 'U-R-3', name: 'provider metadata is replaced whole, and only by some',
    chunks: [begin('text', 't', pm(1)), delta('text', 't', 'x', { providerMetadata: { q: { m: 2 } } }), delta('text', 't', 'y'), begin('reasoning', 'r', pm(3)), delta('reasoning', 'r', 'z')],
    ends: [text('xy', 'streaming', { providerMetadata: { q: { m: 2 } } }), reasoning('r', 'z', 'streaming', pm(3))],
  },
  {
    rule: 'U-R-3', name: 'a character cut in two by deltas is whole again',
    chunks: ['{"type":"text-start","id":"t"}', '{"type":"text-delta","id":"t","delta":"a\\ud83d"}', '{"type":"text-delta","id":"t","delta":"\\ude00b"}'],
    ends: [text('a😀b', 'streaming')],
  },
  {
    rule: 'U-R-3', name: 'half a character stays half', chunks: [begin('text', 't'), '{"type":"text-delta","id":"t","delta":"a\\ude00\\ud83dz"}', end('text', 't')],
    ends: [text('a\ude00\ud83dz')],
  },
  { rule: 'U-R-3', name: 'an empty delta changes nothing', chunks: [begin('text', 't'), delta('text', 't', ''), end('text', 't')], ends: [text('')] },
  {
    rule: 'U-R-4', name: 'an end may bring provider metadata', chunks: [begin('text', 't', pm(1)), end('text', 't', pm(2)), begin('reasoning', 'r'), end('reasoning', 'r', pm(4))],
    ends: [text('', 'done', pm(2)), reasoning('r', '', 'done', pm(4))],
  },
  {
    rule: 'U-R-4', name: 'an end may bring citations',
    chunks: [...whole('text', 't', 'x').slice(0, 2), end('text', 't', { citations: [{ source: { type: 'source', sourceType: 'url', id: 's', url: 'https://a.example' }, citedText: 'x' }] })],
    ends: [text('x', 'done', { citations: [{ source: { type: 'source', sourceType: 'url', id: 's', url: 'https://a.example' }, citedText: 'x' }] })],
  },
  {
    rule: 'U-R-5', name: 'a delta or an end of an id that is not active is skipped',
    chunks: [delta('text', 't', 'x'), end('text', 't'), delta('reasoning', 'r', 'x'), end('reasoning', 'r'), ...whole('text', 't', 'kept'), delta('text', 't', 'late'), end('text', 't'), ...whole('reasoning', 'r', 'kept')],
    skipped: [0, 1, 2, 3, 7, 8], ends: [text('kept'), reasoning('r', 'kept')],
  },
  {
    rule: 'U-R-5', name: 'ids that every object knows are unknown ids',
    chunks: ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].flatMap((id) => [delta('text', id, 'x'), delta('reasoning', id, 'x'), inputDelta(id, '{}'), output(id, 1)]),
    skipped: Array.from({ length: 16 }, (_, n) => n), ends: [],
  },
  {
    rule: 'U-R-5', name: 'ids that every object knows are ids once begun',
    chunks: [begin('text', '__proto__'), delta('text', '__proto__', 'x'), inputStart('constructor', 'toString'), inputDelta('constructor', '{"a":1}'), end('text', '__proto__')],
    ends: [text('x'), tool('toString', 'constructor', 'input-streaming', { input: { a: 1 }, rawInput: '{"a":1}' })],
  },

  // ------------------------------------------------------------------------------------------------------------- tools: input
  {
    rule: 'U-R-6', name: 'a call that starts has no input',
    chunks: [inputStart('a', 'sql', { title: 'Query', toolMetadata: { k: 1 }, providerExecuted: true, ...pm(1) }), inputStart('b', 'sql', { dynamic: true, title: 'Query' })],
    ends: [
      tool('sql', 'a', 'input-streaming', { title: 'Query', toolMetadata: { k: 1 }, providerExecuted: true, callProviderMetadata: { p: { n: 1 } } }),
      dynamicTool('sql', 'b', 'input-streaming', { title: 'Query' }),
    ],
  },
  {
    rule: 'U-R-6', name: 'a call that starts again forgets its input',
    chunks: [inputStart('a', 'sql', { title: 'Query' }), inputDelta('a', '{"q":1}'), inputStart('a', 'grep'), inputDelta('a', '[')],
    ends: [tool('grep', 'a', 'input-streaming', { title: 'Query', input: [], rawInput: '[' })],
  },
  {
    rule: 'U-R-6', name: 'input that is text is not parsed', chunks: [inputStart('a', 'patch', { inputEncoding: 'text' }), inputDelta('a', '{"q"'), inputDelta('a', ':')],
    ends: [tool('patch', 'a', 'input-streaming', { inputEncoding: 'text', input: '{"q":', rawInput: '{"q":' })],
  },
  {
    rule: 'U-R-6', name: 'the encoding goes when the input is whole', chunks: [inputStart('a', 'patch', { inputEncoding: 'text' }), inputDelta('a', 'x'), input('a', 'patch', 'xy')],
    ends: [tool('patch', 'a', 'input-available', { input: 'xy' })],
  },
  streamed('U-R-7', 'input is parsed as far as it has come', ['{"ci', 'ty": "Ber', 'lin", "days": [1, 2', ', 3'], { city: 'Berlin', days: [1, 2, 3] }),
  streamed('U-R-7', 'input in two writings of one character', ['{"a":"\\ud83d', '\\ude00 😀', '"}'], { a: '😀 😀' }),
  streamed('U-R-7', 'half a number and half a word', ['{"a": -1.5e', '3, "b": fal'], { a: -1500, b: false }),
  streamed('U-R-7', 'input that is no JSON is none', ['[1,', ',2]'], undefined),
  streamed('U-R-7', 'what cannot stand behind a member is cut off', ['{"a": 1', ' "b"'], { a: 1 }),
  streamed('U-R-7', 'what is behind the whole is cut off', ['{"a":1}', 'x'], { a: 1 }),
  streamed('U-R-7', 'input of white space is none', ['', ' ', '\n'], undefined),
  streamed('U-R-7', 'input with a member twice has the last', ['{"a":1,"a":2'], { a: 2 }),
  streamed('U-R-7', 'input with a member named __proto__ is none', ['{"a":1,"__proto__":{"b":2}}'], undefined),
  streamed('U-R-7', 'input with a member named __proto__ is none before it is whole', ['{"a":{"__proto__":1},"b'], undefined),
  streamed('U-R-7', 'input that says __proto__ is like any', ['{"a":"__proto__"}'], { a: '__proto__' }),
  streamed('U-R-7', 'input with a prototype below constructor is none', ['{"constructor":{"prototype":1}}'], undefined),
  streamed('U-R-7', 'input with a constructor is like any', ['{"constructor":{"name":1}}'], { constructor: { name: 1 } }),
  {
    rule: 'U-R-7', name: 'a delta without a start is skipped, also when the call is known otherwise',
    chunks: [inputDelta('a', '{'), input('b', 'sql', 1), inputDelta('b', '{')], skipped: [0, 2], ends: [tool('sql', 'b', 'input-available', { input: 1 })],
  },
  {
    rule: 'U-R-7', name: 'a delta behind the whole input streams again, with the name and title of the start',
    chunks: [inputStart('a', 'sql', { title: 'T' }), inputDelta('a', '{"q":'), input('a', 'grep', { q: 1 }, { title: 'U', ...pm(1) }), output('a', 'done', pm(2)), inputDelta('a', '2')],
    ends: [tool('sql', 'a', 'input-streaming', { title: 'T', input: { q: 2 }, rawInput: '{"q":2', callProviderMetadata: { p: { n: 1 } }, resultProviderMetadata: { p: { n: 2 } } })],
    differs: 'late input', ours: [tool('grep', 'a', 'output-available', { title: 'U', input: { q: 1 }, output: 'done', callProviderMetadata: { p: { n: 1 } }, resultProviderMetadata: { p: { n: 2 } } })],
  },
  {
    rule: 'U-R-8', name: 'the whole input replaces what was streamed', chunks: [inputStart('a', 'sql', { title: 'T', toolMetadata: { k: 1 } }), inputDelta('a', '{"q":1'), input('a', 'sql', { q: 12 }, pm(1))],
    ends: [tool('sql', 'a', 'input-available', { title: 'T', toolMetadata: { k: 1 }, input: { q: 12 }, callProviderMetadata: { p: { n: 1 } } })],
  },
  {
    rule: 'U-R-8', name: 'an input needs no start', chunks: [input('a', 'sql', null, { title: 'T' }), input('b', 'sql', [], { dynamic: true, toolMetadata: {} })],
    ends: [tool('sql', 'a', 'input-available', { input: null, title: 'T' }), dynamicTool('sql', 'b', 'input-available', { input: [], toolMetadata: {} })],
  },
  {
    rule: 'U-R-8', name: 'an input of the other kind is another part', chunks: [inputStart('a', 'sql'), input('a', 'sql', 1, { dynamic: true }), output('a', 2)],
    ends: [tool('sql', 'a', 'output-available', { output: 2 }), dynamicTool('sql', 'a', 'input-available', { input: 1 })],
  },
  {
    rule: 'U-R-8', name: 'the last name counts', chunks: [inputStart('a', 'sql'), input('a', 'web-search', 1), inputStart('b', 'sql', { dynamic: true }), input('b', 'web-search', 1, { dynamic: true })],
    ends: [tool('web-search', 'a', 'input-available', { input: 1 }), dynamicTool('web-search', 'b', 'input-available', { input: 1 })],
  },
  {
    rule: 'U-R-9', name: 'an input error keeps the input of either kind', chunks: [inputError('a', 'sql', '{bad'), inputError('b', 'sql', '{bad', { dynamic: true })],
    ends: [tool('sql', 'a', 'output-error', { input: '{bad', errorText: 'bad input' }), dynamicTool('sql', 'b', 'output-error', { input: '{bad', errorText: 'bad input' })],
  },
  {
    rule: 'U-R-9', name: 'an input error goes to the part that is there, whatever its kind',
    chunks: [inputStart('a', 'sql', { dynamic: true }), inputError('a', 'sql', 1), inputStart('b', 'sql'), inputDelta('b', '{'), inputError('b', 'sql', 2, { dynamic: true, ...pm(1) })],
    ends: [dynamicTool('sql', 'a', 'output-error', { input: 1, errorText: 'bad input' }), tool('sql', 'b', 'output-error', { input: 2, errorText: 'bad input', resultProviderMetadata: { p: { n: 1 } } })],
  },
  {
    rule: 'U-R-9', name: 'an input error changes no title', chunks: [inputStart('a', 'sql', { title: 'T' }), inputError('a', 'sql', 1, { title: 'U' }), inputError('b', 'sql', 1, { title: 'U' })],
    ends: [tool('sql', 'a', 'output-error', { title: 'T', input: 1, errorText: 'bad input' }), tool('sql', 'b', 'output-error', { input: 1, errorText: 'bad input' })],
  },

  // ---------------------------------------------------------------------------------------------------------- tools: which part
  {
    rule: 'U-R-10', name: 'a call id of an earlier step makes a new part',
    chunks: [startStep, input('a', 'sql', 1), output('a', 10), finishStep, startStep, inputStart('a', 'sql'), inputDelta('a', '2'), output('a', 20), startStep, inputError('a', 'sql', 3)],
    ends: [
      stepStart, tool('sql', 'a', 'output-available', { input: 1, output: 10 }), stepStart, tool('sql', 'a', 'output-available', { input: 2, output: 20 }),
      stepStart, tool('sql', 'a', 'output-error', { input: 3, errorText: 'bad input' }),
    ],
  },
  {
    rule: 'U-R-10', name: 'a delta in a later step makes a new part, with all the text',
    chunks: [startStep, inputStart('a', 'sql', { title: 'T', providerExecuted: true }), inputDelta('a', '{"q":'), startStep, inputDelta('a', '1}')],
    ends: [
      stepStart, tool('sql', 'a', 'input-streaming', { title: 'T', providerExecuted: true, rawInput: '{"q":', input: {} }),
      stepStart, tool('sql', 'a', 'input-streaming', { title: 'T', rawInput: '{"q":1}', input: { q: 1 } }),
    ],
  },
  {
    rule: 'U-R-10', name: 'a dynamic part that a delta makes has no raw input before the next delta',
    chunks: [startStep, inputStart('a', 'sql', { dynamic: true }), inputStart('b', 'sql', { dynamic: true }), startStep, inputDelta('a', '[1'), inputDelta('b', '[1'), inputDelta('b', ']')],
    ends: [
      stepStart, dynamicTool('sql', 'a', 'input-streaming'), dynamicTool('sql', 'b', 'input-streaming'),
      stepStart, dynamicTool('sql', 'a', 'input-streaming', { input: [1] }), dynamicTool('sql', 'b', 'input-streaming', { input: [1], rawInput: '[1]' }),
    ],
  },
  {
    rule: 'U-R-10', name: 'an output in a later step finds its call, the latest first',
    chunks: [startStep, input('a', 'sql', 1), startStep, input('a', 'sql', 2), startStep, output('a', 'x'), request('ap', 'a'), call('output-denied', 'a')],
    ends: [
      stepStart, tool('sql', 'a', 'input-available', { input: 1 }), stepStart,
      tool('sql', 'a', 'output-denied', { input: 2, output: 'x', approval: { id: 'ap' } }), stepStart,
    ],
  },
  {
    rule: 'U-R-10', name: 'within the step the first call of that id is found', chunks: [input('a', 'sql', 1), input('a', 'sql', 2, { dynamic: true }), outputError('a')],
    ends: [tool('sql', 'a', 'output-error', { input: 1, errorText: 'failed' }), dynamicTool('sql', 'a', 'input-available', { input: 2 })],
  },
  {
    rule: 'U-R-10', name: 'what has no call is skipped', chunks: [output('a', 1), outputError('a'), call('output-denied', 'a'), request('ap', 'a'), input('a', 'sql', 1)],
    skipped: [0, 1, 2, 3], ends: [tool('sql', 'a', 'input-available', { input: 1 })],
  },

  // ------------------------------------------------------------------------------------------------------------- tools: output
  {
    rule: 'U-R-11', name: 'an output keeps input, title and tool metadata', chunks: [input('a', 'sql', { q: 1 }, { title: 'T', toolMetadata: { k: 1 } }), output('a', [1, 2])],
    ends: [tool('sql', 'a', 'output-available', { input: { q: 1 }, title: 'T', toolMetadata: { k: 1 }, output: [1, 2] })],
  },
  {
    rule: 'U-R-11', name: 'preliminary outputs are replaced, and the last one is final',
    chunks: [input('a', 'sql', 1), output('a', 'p1', { preliminary: true }), output('a', 'p2', { preliminary: true }), output('a', 'final'), input('b', 'sql', 1), output('b', 'p', { preliminary: false })],
    ends: [tool('sql', 'a', 'output-available', { input: 1, output: 'final' }), tool('sql', 'b', 'output-available', { input: 1, output: 'p', preliminary: false })],
  },
  {
    rule: 'U-R-11', name: 'an output error keeps the raw input of a static call, and not of a dynamic one',
    chunks: [inputStart('a', 'sql'), inputDelta('a', '{"q'), outputError('a'), inputStart('b', 'sql', { dynamic: true }), inputDelta('b', '{"q'), outputError('b')],
    ends: [tool('sql', 'a', 'output-error', { input: {}, rawInput: '{"q', errorText: 'failed' }), dynamicTool('sql', 'b', 'output-error', { input: {}, errorText: 'failed' })],
  },
  {
    rule: 'U-R-11', name: 'an output drops the raw input', chunks: [inputStart('a', 'sql'), inputDelta('a', '{"q":1}'), output('a', 0)],
    ends: [tool('sql', 'a', 'output-available', { input: { q: 1 }, output: 0 })],
  },
  {
    rule: 'U-R-11', name: 'the kind is the call\'s, whatever the output says', chunks: [input('a', 'sql', 1), output('a', 2, { dynamic: true }), input('b', 'sql', 1, { dynamic: true }), outputError('b', { dynamic: false })],
    ends: [tool('sql', 'a', 'output-available', { input: 1, output: 2 }), dynamicTool('sql', 'b', 'output-error', { input: 1, errorText: 'failed' })],
  },
  {
    rule: 'U-R-12', name: 'an output takes the error with it, an error the output', chunks: [input('a', 'sql', 1), outputError('a'), output('a', 2, { preliminary: true }), outputError('a', { errorText: 'again' })],
    ends: [tool('sql', 'a', 'output-error', { input: 1, errorText: 'again' })],
  },
  {
    rule: 'U-R-12', name: 'a new input takes output and error with it', chunks: [input('a', 'sql', 1, { title: 'T' }), output('a', 2), input('a', 'sql', 3, { toolMetadata: { k: 1 } })],
    ends: [tool('sql', 'a', 'input-available', { input: 3, title: 'T', toolMetadata: { k: 1 } })],
  },
  {
    rule: 'U-R-12', name: 'who executes stays until it is said anew', chunks: [input('a', 'sql', 1, { providerExecuted: true }), output('a', 2), input('b', 'sql', 1, { providerExecuted: true }), output('b', 2, { providerExecuted: false })],
    ends: [tool('sql', 'a', 'output-available', { input: 1, output: 2, providerExecuted: true }), tool('sql', 'b', 'output-available', { input: 1, output: 2, providerExecuted: false })],
  },
  {
    rule: 'U-R-12', name: 'tool metadata is replaced whole', chunks: [input('a', 'sql', 1, { toolMetadata: { k: 1 } }), output('a', 2, { toolMetadata: { l: 2 } }), outputError('a')],
    ends: [tool('sql', 'a', 'output-error', { input: 1, errorText: 'failed', toolMetadata: { l: 2 } })],
  },
  {
    rule: 'U-R-13', name: 'what the provider says of the call and of the result are two',
    chunks: [inputStart('a', 'sql', pm(1)), input('a', 'sql', 1, pm(2)), output('a', 2, pm(3)), outputError('a', pm(4)), input('a', 'sql', 1, pm(5))],
    ends: [tool('sql', 'a', 'input-available', { input: 1, callProviderMetadata: { p: { n: 5 } }, resultProviderMetadata: { p: { n: 4 } } })],
  },

  // ----------------------------------------------------------------------------------------------------------- tools: approval
  {
    rule: 'U-R-14', name: 'approved, then done',
    chunks: [input('a', 'sql', 1), request('ap', 'a', { isAutomatic: true, signature: 's' }), response('ap', true, { reason: 'fine' }), output('a', 2)],
    ends: [tool('sql', 'a', 'output-available', { input: 1, output: 2, approval: { id: 'ap', approved: true, isAutomatic: true, signature: 's', reason: 'fine' } })],
  },
  {
    rule: 'U-R-14', name: 'denied', chunks: [startStep, input('a', 'sql', 1), request('ap', 'a', { isAutomatic: false }), startStep, response('ap', false), call('output-denied', 'a')],
    ends: [stepStart, tool('sql', 'a', 'output-denied', { input: 1, approval: { id: 'ap', approved: false } }), stepStart],
  },
  {
    rule: 'U-R-14', name: 'what a request says of itself stays with the answer',
    chunks: [input('a', 'sql', 1), request('ap', 'a', { reason: 'writes', approvalDescriptor: { k: 1 }, inputSchemaInput: null }), response('ap', true, { reason: 'ok' })],
    ends: [tool('sql', 'a', 'approval-responded', { input: 1, approval: { id: 'ap', approved: true, descriptor: { k: 1 }, inputSchemaInput: null, requestReason: 'writes', reason: 'ok' } })],
  },
  {
    rule: 'U-R-14', name: 'a second request begins anew', chunks: [input('a', 'sql', 1), request('ap', 'a', { signature: 's' }), response('ap', true, { reason: 'r' }), request('ap2', 'a')],
    ends: [tool('sql', 'a', 'approval-requested', { input: 1, approval: { id: 'ap2' } })],
  },
  {
    rule: 'U-R-14', name: 'a second answer without a reason keeps the first one\'s', chunks: [input('a', 'sql', 1), request('ap', 'a'), response('ap', true, { reason: 'r' }), response('ap', false)],
    ends: [tool('sql', 'a', 'approval-responded', { input: 1, approval: { id: 'ap', approved: false, reason: 'r' } })],
  },
  {
    rule: 'U-R-14', name: 'an approval id used twice is the first call\'s', chunks: [input('a', 'sql', 1), request('ap', 'a'), startStep, input('b', 'sql', 2), request('ap', 'b'), response('ap', true)],
    ends: [tool('sql', 'a', 'approval-responded', { input: 1, approval: { id: 'ap', approved: true } }), stepStart, tool('sql', 'b', 'approval-requested', { input: 2, approval: { id: 'ap' } })],
  },
  {
    rule: 'U-R-14', name: 'an answer may say who executes, and what the provider says of the call', chunks: [input('a', 'sql', 1, { providerExecuted: true, ...pm(1) }), request('ap', 'a'), response('ap', true, { providerExecuted: false, ...pm(2) })],
    ends: [tool('sql', 'a', 'approval-responded', { input: 1, providerExecuted: false, callProviderMetadata: { p: { n: 2 } }, approval: { id: 'ap', approved: true } })],
  },
  {
    rule: 'U-R-14', name: 'an answer to nothing is skipped', chunks: [response('ap', true), input('a', 'sql', 1), request('ap', 'a'), response('other', true)],
    skipped: [0, 3], ends: [tool('sql', 'a', 'approval-requested', { input: 1, approval: { id: 'ap' } })],
  },
  {
    rule: 'U-R-14', name: 'the approval outlives a new input', chunks: [inputStart('a', 'sql'), request('ap', 'a'), input('a', 'sql', 1), call('output-denied', 'a')],
    ends: [tool('sql', 'a', 'output-denied', { input: 1, approval: { id: 'ap' } })],
  },

  // --------------------------------------------------------------------------------------------------------------------- steps
  {
    rule: 'U-R-15', name: 'steps are marked where they start', chunks: [startStep, ...whole('text', 't', 'a'), finishStep, startStep, finishStep, startStep, ...whole('text', 't', 'b'), finishStep],
    ends: [stepStart, text('a'), stepStart, stepStart, text('b')],
  },
  {
    rule: 'U-R-15', name: 'the end of a step ends no part', chunks: [startStep, begin('text', 't'), begin('reasoning', 'r'), finishStep, startStep, delta('text', 't', 'x'), delta('reasoning', 'r', 'y'), end('text', 't')],
    ends: [stepStart, text('x'), reasoning('r', 'y', 'streaming'), stepStart],
  },
  {
    rule: 'U-R-15', name: 'a reset takes what came since the step began',
    chunks: [startStep, ...whole('text', 't', 'kept'), startStep, begin('text', 't'), begin('reasoning', 'r'), inputStart('a', 'sql'), data('x', '1', 1), resetStep, ...whole('text', 't', 'again')],
    ends: [stepStart, text('kept'), stepStart, text('again')],
  },
  { rule: 'U-R-15', name: 'a reset before any step takes everything', chunks: [...whole('text', 't', 'a'), input('a', 'sql', 1), resetStep, ...whole('text', 't', 'b')], ends: [text('b')] },
  {
    rule: 'U-R-15', name: 'after a reset nothing is active, not even what an earlier step began',
    chunks: [begin('text', 't'), begin('reasoning', 'r'), inputStart('a', 'sql'), startStep, resetStep, delta('text', 't', 'x'), delta('reasoning', 'r', 'x'), inputDelta('a', '{'), output('a', 1)],
    skipped: [5, 6, 7], ends: [text('', 'streaming'), reasoning('r', '', 'streaming'), tool('sql', 'a', 'output-available', { output: 1 }), stepStart],
  },
  { rule: 'U-R-15', name: 'a reset of an empty step changes nothing', chunks: [...whole('text', 't', 'a'), startStep, resetStep, resetStep, ...whole('text', 't', 'b')], ends: [text('a'), stepStart, text('b')] },

  // ------------------------------------------------------------------------------------------------- start, finish and metadata
  { rule: 'U-R-16', name: 'a start gives the id and metadata', chunks: [{ ...start('m1'), messageMetadata: { model: 'x' } }], ends: [], id: 'm1', metadata: { model: 'x' } },
  { rule: 'U-R-16', name: 'a start without an id changes none', chunks: [start('m1'), ...whole('text', 't', 'a'), { type: 'start', messageMetadata: { a: 1 } }], ends: [text('a')], id: 'm1', metadata: { a: 1 } },
  { rule: 'U-R-16', name: 'a start with another id renames the message', chunks: [start('m1'), ...whole('text', 't', 'a'), metadata({ a: 1 }), start('m2'), ...whole('text', 't', 'b')], ends: [text('a'), text('b')], id: 'm2', metadata: { a: 1 } },
  { rule: 'U-R-16', name: 'metadata at the finish', chunks: [start('m1'), metadata({ a: 1 }), { ...finish, messageMetadata: { b: 2 } }], ends: [], metadata: { a: 1, b: 2 } },
  { rule: 'U-R-16', name: 'what comes behind the finish counts', chunks: [start('m1'), finish, metadata({ a: 1 }), data('x', '1', 1), ...whole('text', 't', 'late')], ends: [{ type: 'data-x', id: '1', data: 1 }, text('late')], metadata: { a: 1 } },
  { rule: 'U-R-17', name: 'objects are merged deep', chunks: [metadata({ a: { b: { c: 1, d: 2 } }, e: 1 }), metadata({ a: { b: { c: 3 }, f: 4 } })], ends: [], metadata: { a: { b: { c: 3, d: 2 }, f: 4 }, e: 1 } },
  { rule: 'U-R-17', name: 'arrays, nulls and values are replaced', chunks: [metadata({ a: [1, 2], b: { c: 1 }, d: 1, e: null, f: [1] }), metadata({ a: [3], b: null, d: { e: 1 }, e: { f: 1 }, f: {} })], ends: [], metadata: { a: [3], b: null, d: { e: 1 }, e: { f: 1 }, f: {} } },
  { rule: 'U-R-17', name: 'null is no metadata', chunks: [metadata(null), metadata({ a: 1 }), metadata(null), { ...start('m'), messageMetadata: null }, { ...finish, messageMetadata: null }], ends: [], metadata: { a: 1 } },
  {
    rule: 'U-R-17', name: 'a merge leaves constructor and prototype alone', chunks: [metadata({ a: { b: 1 } }), metadata({ constructor: 1, prototype: 2, a: { constructor: 3, c: 4 } })],
    ends: [], metadata: { a: { b: 1, c: 4 } },
  },
  {
    rule: 'U-R-17', name: 'where there is nothing to merge with, they are names like any', chunks: [metadata({ constructor: 1 }), metadata({ a: { prototype: 2 } }), metadata({ a: { prototype: 3 }, constructor: 4 })],
    ends: [], metadata: { constructor: 1, a: { prototype: 2 } },
  },
  {
    rule: 'U-R-17', name: '__proto__ is not merged', chunks: [metadata({ a: { b: 1 } }), '{"type":"message-metadata","messageMetadata":{"__proto__":{"x":1},"a":{"__proto__":{"y":1},"c":2}}}'],
    ends: [], metadata: { a: { b: 1, c: 2 } },
  },

  // ----------------------------------------------------------------------------------------------------------------- the others
  { rule: 'U-R-18', name: 'an error changes no part', chunks: [begin('text', 't'), delta('text', 't', 'half'), { type: 'error', errorText: 'overloaded' }], ends: [text('half', 'streaming')], fails: true },
  { rule: 'U-R-18', name: 'an abort changes no part', chunks: [begin('text', 't'), delta('text', 't', 'half'), { type: 'abort', reason: 'user' }], ends: [text('half', 'streaming')] },
  {
    rule: 'U-R-18', name: 'sources and files, again and again',
    chunks: [
      { type: 'source-url', sourceId: 's', url: 'https://a.example', title: 'A', ...pm(1) }, { type: 'source-url', sourceId: 's', url: 'https://a.example' },
      { type: 'source-document', sourceId: 'd', mediaType: 'text/plain', title: 'D', filename: 'd.txt' }, { type: 'file', url: 'data:,x', mediaType: 'text/plain', ...pm(2) },
      { type: 'reasoning-file', url: 'data:,y', mediaType: 'text/plain' }, { type: 'custom', kind: 'a.b', ...pm(3) }, { type: 'custom', kind: 'nothing' },
    ],
    ends: [
      { type: 'source-url', sourceId: 's', url: 'https://a.example', title: 'A', ...pm(1) }, { type: 'source-url', sourceId: 's', url: 'https://a.example' },
      { type: 'source-document', sourceId: 'd', mediaType: 'text/plain', title: 'D', filename: 'd.txt' }, { type: 'file', url: 'data:,x', mediaType: 'text/plain', ...pm(2) },
      { type: 'reasoning-file', url: 'data:,y', mediaType: 'text/plain' }, { type: 'custom', kind: 'a.b', ...pm(3) }, { type: 'custom', kind: 'nothing' },
    ],
  },
  {
    rule: 'U-R-18', name: 'members that nobody knows', chunks: [
      { type: 'source-url', sourceId: 's', url: 'u', rank: 1 }, { type: 'file', url: 'u', mediaType: 'm', bytes: 3 }, { type: 'custom', kind: 'a.b', value: { c: 1 } },
      begin('text', 't', { x: 1 }), delta('text', 't', 'a', { x: { text: 'b' } }), end('text', 't', { x: [1] }), { ...input('a', 'sql', 1), x: 1 }, { ...output('a', 2), x: 1 },
    ],
    ends: [{ type: 'source-url', sourceId: 's', url: 'u' }, { type: 'file', url: 'u', mediaType: 'm' }, { type: 'custom', kind: 'a.b' }, text('a'), tool('sql', 'a', 'output-available', { input: 1, output: 2 })],
  },
  { rule: 'U-R-18', name: 'kinds that nobody knows are skipped', chunks: [...whole('text', 't', 'a'), { type: 'text-color', id: 't' }, { type: 'weather-data' }, { type: '__proto__' }, ...whole('text', 't', 'b')], skipped: [3, 4, 5], ends: [text('a'), text('b')] },
  {
    rule: 'U-R-18', name: 'what lacks a member, or has a wrong one, is skipped',
    chunks: [
      begin('text', 't'), { type: 'text-delta', id: 't' }, { type: 'text-delta', delta: 'x' }, delta('text', 't', 5), { type: 'tool-input-available', toolCallId: 'a', toolName: 'sql' },
      input('a', 'sql', 1), { type: 'tool-output-available', toolCallId: 'a' }, { type: 'data-a' }, { type: 'message-metadata' }, null, [], { id: 't' }, delta('text', 't', 'y'),
    ],
    skipped: [1, 2, 3, 4, 6, 7, 8, 9, 10, 11], ends: [text('y', 'streaming'), tool('sql', 'a', 'input-available', { input: 1 })],
  },
  { rule: 'U-R-18', name: 'a user\'s message in between', chunks: [...whole('text', 't', 'a'), { type: 'steering-message', id: 'u1', parts: [{ type: 'text', text: 'shorter' }] }], ends: [text('a'), { type: 'steering-message', id: 'u1', parts: [{ type: 'text', text: 'shorter' }] }] },
  {
    rule: 'U-R-19', name: 'data of one name and id is replaced in its place', chunks: [data('a', '1', { x: 1, y: 2 }), ...whole('text', 't', 'a'), data('a', '1', { x: 3 }), data('a', '2', 4), data('b', '1', 5)],
    ends: [{ type: 'data-a', id: '1', data: { x: 3 } }, text('a'), { type: 'data-a', id: '2', data: 4 }, { type: 'data-b', id: '1', data: 5 }],
  },
  { rule: 'U-R-19', name: 'data without an id is never replaced', chunks: [data('a', undefined, 1), data('a', undefined, 2), data('a', '', 3), data('a', '', 4)], ends: [{ type: 'data-a', data: 1 }, { type: 'data-a', data: 2 }, { type: 'data-a', id: '', data: 4 }] },
  { rule: 'U-R-19', name: 'transient data leaves no trace', chunks: [data('a', '1', 1), data('a', '1', 2, { transient: true }), data('a', undefined, 3, { transient: true })], ends: [{ type: 'data-a', id: '1', data: 1 }] },
  {
    rule: 'U-R-19', name: 'data keeps the other members of its first chunk', chunks: [data('a', '1', 1, { transient: false, note: 'n' }), data('a', '1', null, { note: 'm', more: 1 })],
    ends: [{ type: 'data-a', id: '1', data: null, transient: false, note: 'n' }],
  },
  { rule: 'U-R-19', name: 'data is found again in a later step', chunks: [startStep, data('a', '1', 1), startStep, data('a', '1', 2)], ends: [stepStart, { type: 'data-a', id: '1', data: 2 }, stepStart] },
  {
    rule: 'U-R-20', name: 'what was handed out does not change', chunks: [
      start('m1'), begin('text', 't'), delta('text', 't', 'a'), metadata({ a: { b: 1 } }), data('x', '1', { y: 1 }), inputStart('a', 'sql'), inputDelta('a', '{"q":"1'), inputDelta('a', '2"}'),
      input('a', 'sql', { q: 2 }), request('ap', 'a'), response('ap', true), output('a', 1, { preliminary: true }), output('a', 2), data('x', '1', { y: 2 }), metadata({ a: { b: 2 } }), delta('text', 't', 'b'), end('text', 't'),
    ],
    ends: [text('ab'), { type: 'data-x', id: '1', data: { y: 2 } }, tool('sql', 'a', 'output-available', { input: { q: 2 }, output: 2, approval: { id: 'ap', approved: true } })], metadata: { a: { b: 2 } },
  },
];

export const framesOf = ({ chunks }) => chunks.map((chunk) => (typeof chunk === 'string' ? chunk : JSON.stringify(chunk)));
