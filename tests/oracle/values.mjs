// Text, JSON values and the ways to write them down, by chance.

const TEXTS = [
  'How do tides work? ', 'e\u0301 und ß, ', 'Прилив и отлив. ', 'المد والجزر ', 'גאות ושפל ', 'ज्वार-भाटा ', 'น้ำขึ้นน้ำลง ', '潮の満ち引き。', '밀물과 썰물 ',
  '👩‍👩‍👧 ', '🇺🇦🏳️‍🌈', '𝒯𝒾𝒹ℯ ', '\u202Ertl\u202C ', 'a\nb\r\nc\td ', '"quoted" \\ and / ', '{"not": "an object"} ', 'data: [DONE]\n\n', '\u0000\u001f\u007f', '\u2028\u2029\ufeff',
  '\ufffd\uffff', '\ud83d', '\ude00', '',
];

/** Names that an object has before anybody gave it one. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
const KEYS = ['a', 'b', 'c', 'total', 'ключ', '鍵', '', 'a"b', 'back\\slash', '0', '😀'];
const NUMBERS = [0, -0, 1, -1, 0.1, 1e21, -2.5e-7, 9007199254740993, 1.7976931348623157e308, 5e-324];

export const textOf = (chance) => Array.from({ length: chance.between(0, 4) }, () => chance.pick(TEXTS)).join('');

/** Cut anywhere, inside a character, too: a JSON text can carry half of one. */
export function cut(chance, text, most = 6) {
  const pieces = [];
  const times = chance.between(0, most);
  let start = 0;
  for (let i = 0; i < times && start < text.length; i++) {
    const end = chance.between(start, text.length);
    pieces.push(text.slice(start, end));
    start = end;
  }
  pieces.push(text.slice(start));
  return pieces;
}

// Not `__proto__`, and not `prototype` below `constructor`: the package refuses a JSON text that has them (`rules.mjs` has both).
const keyOf = (chance) => (chance.is(4) ? chance.pick(['constructor', 'toString', 'hasOwnProperty']) : chance.pick(KEYS));

const scalarOf = (chance) => chance.pick([
  () => null, () => true, () => false, () => chance.pick(NUMBERS), () => chance.between(-1000, 1000), () => textOf(chance), () => chance.pick(INHERITED),
])();

export const objectOf = (chance, depth) =>
  Object.fromEntries(Array.from({ length: chance.between(0, 4) }, () => [keyOf(chance), valueOf(chance, depth - 1)]));

export function valueOf(chance, depth = 3) {
  if (depth <= 0 || chance.is(35)) return scalarOf(chance);
  return chance.is(60) ? objectOf(chance, depth) : Array.from({ length: chance.between(0, 3) }, () => valueOf(chance, depth - 1));
}

/** Few keys, so that they meet again, and names that a merge has to leave alone. */
export const metadataOf = (chance, depth = 3) => Object.fromEntries(Array.from({ length: chance.between(0, 4) }, () => [
  chance.is(5) ? chance.pick(['__proto__', 'constructor', 'prototype']) : chance.pick(['a', 'b', 'usage', 'ключ']),
  depth > 0 && chance.is(50) ? metadataOf(chance, depth - 1) : valueOf(chance, 1),
]));

/** What a provider says: by provider, then anything. */
export const providerMetadataOf = (chance) =>
  Object.fromEntries(Array.from({ length: chance.between(0, 2) }, () => [chance.pick(['openai', 'anthropic', 'gateway', '']), objectOf(chance, 2)]));

export const idOf = (chance) => chance.pick(['0', '1', 'txt-1', 'msg_9', 'идент', '😀', '', ...INHERITED]);

// ------------------------------------------------------------------------------------------------------------------- on the wire

/** JSON.stringify leaves no choice: servers do. */
const STYLES = {
  plain: (json) => json,
  ascii: (json) => json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  upperAscii: (json) => json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`),
  slashes: (json) => json.replaceAll('/', '\\/'),
  // Between tokens only: what is in quotes stays as it is.
  spaced: (json) => json.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (token) => (token[0] === '"' ? token : ` ${token}\t`)),
};

export const styleOf = (chance) => {
  const write = STYLES[chance.pick(['plain', 'plain', 'plain', ...Object.keys(STYLES)])];
  const isShuffled = chance.is(25);
  const isWidened = chance.is(15);
  return (chunk) => {
    let entries = Object.entries(chunk).filter(([, value]) => value !== undefined);
    if (isWidened && !chunk.type.startsWith('data-')) entries.push(['x-unknown', valueOf(chance, 2)]);
    if (isShuffled) entries = entries.map((entry) => [chance.next(), entry]).sort(([a], [b]) => a - b).map(([, entry]) => entry);
    return write(JSON.stringify(Object.fromEntries(entries)));
  };
};
