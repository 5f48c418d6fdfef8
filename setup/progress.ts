import { styleText } from "node:util";

/** Where progress goes: a terminal gets a live line, anything else whole lines. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** What a step is given to speak with while it runs. */
export interface Say {
  /** What it is doing right now; shown in the live line or with the next regular line. */
  now(detail: string): void;
  /** Something to keep: a line of its own. */
  line(text: string): void;
}

/** Plain output: nothing for this long is long enough to wonder whether it hangs. */
const PLAIN_TICK_MS = 15_000;
/** A step that ends within this says so in one line. */
const PLAIN_START_MS = 1_000;
const LIVE_TICK_MS = 200;

/** Seconds as people read them: "0.4 s", "12 s", "3 min 05 s". */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** Steps of one command, counted: "[2/7] tools … 12 s". Output goes to standard error. */
export class Progress {
  #done = 0;
  readonly #total: number;
  readonly #out: ProgressStream;

  constructor(total: number, out: ProgressStream = process.stderr) {
    this.#total = total;
    this.#out = out;
  }

  /** Runs one step under its title. What it gives back as `says` stands in its last line. */
  async step<T>(title: string, work: (say: Say) => Promise<T>, says: (result: T) => string = () => "") {
    const head = `${this.#bold(`[${++this.#done}/${this.#total}]`)} ${title}`;
    const started = Date.now();
    const line = this.#out.isTTY ? this.#liveLine(head, started) : this.#plainLines(head, started);
    try {
      const result = await work(line.say);
      const words = says(result);
      line.end(`${head}: ${words ? `${words}, ` : ""}${duration(Date.now() - started)}`);
      return result;
    } catch (error) {
      line.end(`${head}: failed after ${duration(Date.now() - started)}`);
      throw error;
    }
  }

  /** Announces a step that writes to the terminal itself. */
  async handOver<T>(title: string, work: () => Promise<T>): Promise<T> {
    this.#out.write(`${this.#bold(`[${++this.#done}/${this.#total}]`)} ${title}\n`);
    return await work();
  }

  #liveLine(head: string, started: number) {
    let detail = "";
    const draw = () => {
      const text = `${head} … ${duration(Date.now() - started)}${detail && ` · ${detail}`}`;
      this.#out.write(`\r\x1b[K${text.slice(0, (this.#out.columns ?? 80) - 1)}`);
    };
    const above = (text: string) => this.#out.write(`\r\x1b[K${text}\n`);
    const timer = setInterval(draw, LIVE_TICK_MS);
    draw();
    return {
      say: {
        now: (words: string) => {
          detail = words;
        },
        line: (text: string) => {
          above(`      ${text}`);
          draw();
        },
      },
      end: (text: string) => {
        clearInterval(timer);
        above(text);
      },
    };
  }

  #plainLines(head: string, started: number) {
    let detail = "";
    const write = (text: string) => this.#out.write(`${text}\n`);
    let announced = false;
    const announce = () => {
      if (!announced) write(head);
      announced = true;
    };
    const start = setTimeout(announce, PLAIN_START_MS);
    const timer = setInterval(
      () => write(`${head} … ${duration(Date.now() - started)}${detail && ` · ${detail}`}`),
      PLAIN_TICK_MS,
    );
    return {
      say: {
        now: (words: string) => {
          detail = words;
        },
        line: (text: string) => {
          announce();
          write(`      ${text}`);
        },
      },
      end: (text: string) => {
        clearTimeout(start);
        clearInterval(timer);
        write(text);
      },
    };
  }

  /** Bold on a terminal that wants colours (NO_COLOR and friends are respected). */
  #bold(text: string): string {
    return this.#out.isTTY && this.#out === process.stderr
      ? styleText("bold", text, { stream: process.stderr })
      : text;
  }
}
