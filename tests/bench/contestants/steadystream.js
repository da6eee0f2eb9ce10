import { createRunCore } from '../../../pkg/index.js';

export default {
  name: 'steadystream',
  title: 'steadystream (createRunCore)',
  role: 'ours',
  protocols: ['bichat', 'ui-message'],

  open(protocol) {
    const core = createRunCore({ protocol });
    return {
      push: (bytes) => core.push(bytes),
      snapshot: () => core.snapshot(),
      close: () => core.free(),
    };
  },
};
