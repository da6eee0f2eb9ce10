export default {
  name: 'TextDecoder alone',
  role: 'bound',
  protocols: ['bichat', 'ui-message', 'active-runs'],

  catchUp({ groups }) {
    const decoder = new TextDecoder();
    let units = 0;
    for (const group of groups) {
      for (const chunk of group) units += decoder.decode(chunk, { stream: true }).length;
    }
    return units;
  },
};
