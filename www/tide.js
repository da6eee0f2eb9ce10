// The stream as a tide: how many characters came in each quarter of a second of the last minute, with a mark where the
// connection was lost. It is a drawing beside numbers that say the same (inspector.js), so it is silent to screen readers.
import { onTheme } from './theme.js';

const BUCKET_MS = 250;
const BUCKETS = 240;
const RATE_BUCKETS = 8;       // the rate is that of the last two seconds
const LEAST_PEAK = 20;        // characters in a bucket that reach half the height: a slow stream is not blown up
const FRAME_MS = 33;
const COLOURS = { water: '--water', surface: '--surface', trouble: '--warn', drop: '--hazard' };

export const lengthOf = ({ parts }) => {
  let length = 0;
  for (const part of parts) if (part.type === 'text' || part.type === 'reasoning') length += part.text.length;
  return length;
};

const isTrouble = (state) => state === 'reconnecting' || state === 'offline' || state === 'failed';

export class Tide {
  #canvas;
  #context;
  #onBucket;
  #colours = {};
  #buckets = [];
  #turn = null;
  #counted = 0;
  #height = 0;
  #wasTrouble = false;
  #bucketAt = 0;
  #drawnAt = 0;
  #frame = 0;
  #isCalm = matchMedia('(prefers-reduced-motion: reduce)');

  /** `onBucket()`: a bucket is full, `rate` may have changed. */
  constructor(canvas, onBucket) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    this.#onBucket = onBucket;
    onTheme(() => {
      const style = getComputedStyle(document.documentElement);
      for (const [name, property] of Object.entries(COLOURS)) this.#colours[name] = style.getPropertyValue(property).trim();
      this.#draw(0);
    });
    new ResizeObserver(() => this.#fit()).observe(canvas);
  }

  /** Characters per second, lately. */
  get rate() {
    const latest = this.#buckets.slice(-RATE_BUCKETS);
    if (latest.length === 0) return 0;
    return latest.reduce((sum, { raw }) => sum + raw, 0) / (latest.length * BUCKET_MS / 1000);
  }

  /** `turn` or null: what is on the screen. Another turn is another tide. */
  show(turn) {
    if (turn !== this.#turn) this.#reset(turn);
    if (turn?.isLive) this.#start();
  }

  #reset(turn) {
    this.#turn = turn;
    this.#buckets = [];
    this.#height = 0;
    this.#wasTrouble = false;
    this.#counted = turn ? lengthOf(turn.snapshot) : 0;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#draw(0);
  }

  #start() {
    if (this.#frame) return;
    this.#bucketAt = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#run(now));
  }

  #run(now) {
    while (now - this.#bucketAt >= BUCKET_MS) {
      // A page that slept has nothing to show for it.
      this.#bucketAt = now - this.#bucketAt > BUCKET_MS * BUCKETS ? now : this.#bucketAt + BUCKET_MS;
      this.#fill();
    }
    const progress = this.#isCalm.matches ? 0 : (now - this.#bucketAt) / BUCKET_MS;
    if (now - this.#drawnAt >= (this.#isCalm.matches ? BUCKET_MS : FRAME_MS)) {
      this.#drawnAt = now;
      this.#draw(progress);
    }
    const isOver = !this.#turn.isLive && this.#height < 0.02;
    this.#frame = isOver ? 0 : requestAnimationFrame((next) => this.#run(next));
  }

  #fill() {
    const { snapshot, isLive } = this.#turn;
    const length = lengthOf(snapshot);
    const raw = Math.max(0, length - this.#counted);
    this.#counted = length;
    const trouble = isLive && isTrouble(snapshot.connection.state);
    const peak = Math.max(LEAST_PEAK * 2, raw, ...this.#buckets.map((bucket) => bucket.raw));
    this.#height = this.#height * 0.45 + Math.sqrt(raw / peak) * 0.55;
    this.#buckets.push({ raw, height: this.#height, trouble, drop: trouble && !this.#wasTrouble });
    this.#wasTrouble = trouble;
    if (this.#buckets.length > BUCKETS) this.#buckets.shift();
    this.#onBucket();
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = devicePixelRatio;
    this.#canvas.width = Math.round(clientWidth * ratio);
    this.#canvas.height = Math.round(clientHeight * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#draw(0);
  }

  // The newest bucket stands at the right edge; `progress` of a bucket has gone by since.
  #draw(progress) {
    const context = this.#context;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0) return;
    const step = width / (BUCKETS - 2);
    const points = this.#buckets.map(({ height: level }, i) => [
      width - (this.#buckets.length - 2 - i + progress) * step,
      height - 1.5 - level * (height - 8),
    ]);
    const flat = height - 1.5;
    context.clearRect(0, 0, width, height);
    const trace = () => {
      context.beginPath();
      context.moveTo(0, flat);
      if (points.length > 0) context.lineTo(points[0][0], flat);
      for (let i = 0; i + 1 < points.length; i++) {
        const [x, y] = points[i];
        const [nextX, nextY] = points[i + 1];
        context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
      }
      context.lineTo(width, points.at(-1)?.[1] ?? flat);
    };
    trace();
    context.lineTo(width, height);
    context.lineTo(0, height);
    context.fillStyle = this.#colours.water;
    context.fill();
    trace();
    context.lineWidth = 1.5;
    context.strokeStyle = this.#colours.surface;
    context.stroke();
    this.#buckets.forEach(({ trouble, drop }, i) => {
      const [x] = points[i];
      if (trouble) {
        context.fillStyle = this.#colours.trouble;
        context.fillRect(x - step, flat - 1, step + 0.5, 2.5);
      }
      if (drop) {
        context.fillStyle = this.#colours.drop;
        context.fillRect(x - step - 0.75, 2, 1.5, height - 3);
      }
    });
  }
}
