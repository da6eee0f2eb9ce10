export default {
  name: 'JSON.parse alone',
  role: 'bound',

  /** The data of all events, as strings: finding them is not counted. */
  prepare: ({ bytes }) => new TextDecoder().decode(bytes).split(/\r?\n/)
    .filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)),

  catchUp(job, data) {
    let texts = 0;
    for (const json of data) if (JSON.parse(json).content !== undefined) texts += 1;
    return texts;
  },
};
