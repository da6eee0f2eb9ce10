// What ManagedEventSource does beyond the standard.

import { asking } from './asking.js';
import { losing } from './losing.js';
import { native } from './native.js';
import { weather } from './weather.js';

export const cases = [asking, losing, native, weather].flat();
