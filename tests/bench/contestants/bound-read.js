export default {
  name: 'the bare feed',
  role: 'bound',

  async live(url) {
    const reader = (await fetch(url)).body.getReader();
    while (!(await reader.read()).done);
  },

  render(urls) {
    urls.forEach((url) => this.live(url));
  },
};
