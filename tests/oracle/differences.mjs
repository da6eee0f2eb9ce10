// In what our parts differ from those of the `ai` package, and why: the whole list. Whatever else differs fails the test, and so
// does an entry that nothing shows any more.
//
// An entry takes the difference away, so that the rest can be compared: `ours` from a message of ours, or `skips` says of what
// the package threw that we skip it and go on.

/** What the package keeps of a part that came in one piece. */
const MEMBERS = {
  'source-url': ['type', 'sourceId', 'url', 'title', 'providerMetadata'],
  'source-document': ['type', 'sourceId', 'mediaType', 'title', 'filename', 'providerMetadata'],
  file: ['type', 'mediaType', 'url', 'providerMetadata'],
  'reasoning-file': ['type', 'mediaType', 'url', 'providerMetadata'],
  custom: ['type', 'kind', 'providerMetadata'],
};

const pick = (part, members) => Object.fromEntries(Object.entries(part).filter(([name]) => members.includes(name)));
const mapParts = (message, change) => ({ ...message, parts: message.parts.map(change) });

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
