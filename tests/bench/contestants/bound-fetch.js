export default {
  name: 'fetch alone',
  role: 'bound',

  async fetchRun(url) {
    const reader = (await fetch(url)).body.getReader();
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return bytes;
      bytes += value.length;
    }
  },
};
