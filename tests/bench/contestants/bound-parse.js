export default {
  name: 'JSON.parse alone',
  role: 'bound',
  protocols: ['bichat', 'ui-message', 'active-runs'],

  /** The data of all events, as strings: finding them is not counted. */
  prepare: ({ bytes }) => new TextDecoder().decode(bytes).split(/\r?\n/)
    .filter((line) => line.startsWith('data: ')).map((line) => line.slice(6))
    .filter((data) => data !== '[DONE]'),

  catchUp(job, data) {
    let texts = 0;
    for (const json of data) if (JSON.parse(json).type !== undefined) texts += 1;
    return texts;
  },
};
