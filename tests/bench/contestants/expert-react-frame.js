import { createLiveStore, useLiveStore } from '../lib/live-stores.js';
import { mount } from '../lib/sidebar.js';
import expert from './expert.js';

export default {
  name: "expert's JS, React, by frame",
  title: 'the same, told once a frame',
  role: 'peer',

  render(urls) {
    mount(urls.map((url) => createLiveStore(url, expert.open, true)), useLiveStore);
  },
};
