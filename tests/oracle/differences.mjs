// In what our parts differ from those of the `ai` package, and why: the whole list. Whatever else differs fails the test, and so
// does an entry that nothing shows any more.
//
// An entry takes the difference away, so that the rest can be compared: `ours` from a message of ours, `theirs` from the
// package's, or `skips` says of what the package threw that we skip it and go on. One that `isOfRule` is shown by a rule that
// names it with `differs`, and keeps what ours does.

/** What the package keeps of a part that came in one piece. */
const MEMBERS = {
  'source-url': ['type', 'sourceId', 'url', 'title', 'providerMetadata'],
  'source-document': ['type', 'sourceId', 'mediaType', 'title', 'filename', 'providerMetadata'],
  file: ['type', 'mediaType', 'url', 'providerMetadata'],
  'reasoning-file': ['type', 'mediaType', 'url', 'providerMetadata'],
  custom: ['type', 'kind', 'providerMetadata'],
  'steering-message': ['type', 'id', 'parts'],
};

const pick = (part, members) => Object.fromEntries(Object.entries(part).filter(([name]) => members.includes(name)));
const isStreamed = ({ type }) => type === 'text' || type === 'reasoning';
/** While it streams, a first half at its end may still become a character. */
const wellFormed = ({ text, state }) => (state === 'streaming' ? text.replace(/[\ud800-\udbff]$/, '') : text).toWellFormed();
const mapParts = (message, change) => ({ ...message, parts: message.parts.map(change) });

const withoutEmptyInput = (message) => mapParts(message, (part) => (
  Object.fromEntries(Object.entries(part).filter(([name, value]) => value !== '' || !['input', 'rawInput'].includes(name)))));

export const DIFFERENCES = [
  {
    name: 'seq',
    reason: 'A text part has the number of the text block that it is, as in every protocol of ours.',
    ours: (message) => mapParts(message, (part) => {
      if (part.type !== 'text') return part;
      const { seq, ...rest } = part;
      return rest;
    }),
  },
  {
    name: 'unknown members',
    reason: 'Sources, files and custom parts are the chunk as it came, with members that a later version may have added.',
    ours: (message) => mapParts(message, (part) => (Object.hasOwn(MEMBERS, part.type) ? pick(part, MEMBERS[part.type]) : part)),
  },
  {
    name: 'left open',
    reason: 'A text or a stretch of reasoning that the server never ended is done when the run is: nothing streams for ever.',
    theirs: (message, { isEnd }) => mapParts(message, (part) => (
      isEnd && isStreamed(part) && part.state === 'streaming' ? { ...part, state: 'done' } : part)),
  },
  {
    name: 'half characters',
    reason: 'Text is whole characters: half a surrogate pair waits for its other half, and without one is U+FFFD.',
    theirs: (message) => mapParts(message, (part) => (isStreamed(part) ? { ...part, text: wellFormed(part) } : part)),
  },
  {
    name: 'no words of an input yet',
    reason: 'An input of which not one character has come is none, and has no raw text; of one that is text the package makes the empty string.',
    ours: withoutEmptyInput,
    theirs: withoutEmptyInput,
  },
  {
    name: 'raw input in a later step',
    reason: 'The raw text of a dynamic call\'s input is there with its first words; in a later step the package brings it with the second.',
    ours: (message, { other }) => mapParts(message, (part, i) => {
      if (part.type !== 'dynamic-tool' || 'rawInput' in (other.parts[i] ?? part)) return part;
      const { rawInput, ...rest } = part;
      return rest;
    }),
  },
  {
    name: 'late input',
    reason: 'More of an input that is whole already makes no sense, and is reported and skipped; the package lets it stream again.',
    isOfRule: true,
  },
  {
    name: 'out of turn',
    reason: 'A chunk of an id, a call or an approval that is not known is reported and skipped; the package ends the answer.',
    skips: ({ error }) => error === 'AI_UIMessageStreamError',
  },
  {
    name: 'unknown types',
    reason: 'A chunk of a type that a later version may have added is reported and skipped; the package ends the answer.',
    skips: ({ error }) => error === 'AI_TypeValidationError',
  },
  {
    name: 'prototype members',
    reason: 'A chunk with a member named __proto__ is read, and that member dealt with as the reducer does; the package refuses the text before its reducer sees it.',
    skips: ({ isForced }) => isForced,
  },
];

/**
 * Our message and the package's without what is known to differ. `isEnd`: the run has settled; `meet` hears of each difference
 * that was there.
 */
export function alike(ours, theirs, { isEnd, meet = () => {} }) {
  let pair = { ours, theirs };
  for (const difference of DIFFERENCES) {
    for (const side of ['ours', 'theirs']) {
      if (!difference[side]) continue;
      const next = difference[side](pair[side], { isEnd, other: side === 'ours' ? pair.theirs : pair.ours });
      if (JSON.stringify(next) !== JSON.stringify(pair[side])) meet(difference.name);
      pair = { ...pair, [side]: next };
    }
  }
  return [pair.ours, pair.theirs];
}
