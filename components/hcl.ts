/**
 * Reads the part of HCL in which Vault's configuration is written: blocks, attributes, comments.
 * It exists because the program has to know what a configuration says before Vault does,
 * and to change one attribute without touching the rest (positions are kept).
 */

export type Value = string | number | boolean | Value[] | Body;

/** `key = value`; `start` and `end` are its place in the text. */
export interface Attribute {
  key: string;
  value: Value;
  start: number;
  end: number;
}

/** `type "label" { ... }`; `inner` is the place in the text right after the brace that opens it. */
export interface Block {
  type: string;
  labels: string[];
  inner: number;
  body: Body;
}

export interface Body {
  attributes: Attribute[];
  blocks: Block[];
}

interface Token {
  kind: "word" | "string" | "sign" | "end";
  text: string;
  start: number;
  end: number;
}

const blank = /(?:\s|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const heredoc = /<<(-?)(\w+)[^\S\n]*\n([\s\S]*?)\n?^[^\S\n]*\2[^\S\n]*$/my;
const quoted = /"(?:[^"\\\n]|\\.)*"/y;
const word = /[\w.+-]+/y;

/** Deeper than any configuration of Vault. */
const deepest = 100;

/** The text's blocks and attributes. Throws an Error that begins with `line N:`. */
export function parseHcl(text: string): Body {
  let token = next(0);
  let depth = 0;

  function next(from: number): Token {
    blank.lastIndex = from;
    blank.exec(text);
    const start = blank.lastIndex;
    if (start >= text.length) return { kind: "end", text: "the end", start, end: start };
    const document = match(heredoc, start);
    if (document) return { kind: "string", text: document[3] ?? "", start, end: heredoc.lastIndex };
    const string = match(quoted, start);
    if (string) return { kind: "string", text: unquote(string[0], start), start, end: quoted.lastIndex };
    const name = match(word, start);
    if (name) return { kind: "word", text: name[0], start, end: word.lastIndex };
    const sign = text.charAt(start);
    if ("{}[]=,".includes(sign)) return { kind: "sign", text: sign, start, end: start + 1 };
    if (sign === '"') throw problem(start, "a text begins here and does not end on its line");
    throw problem(start, `${JSON.stringify(sign)} is not expected here`);
  }

  function match(pattern: RegExp, from: number): RegExpExecArray | null {
    pattern.lastIndex = from;
    return pattern.exec(text);
  }

  function unquote(literal: string, at: number): string {
    try {
      return JSON.parse(literal) as string;
    } catch {
      throw problem(at, `${literal} has an escape that is not known`);
    }
  }

  function problem(at: number, what: string): Error {
    return new Error(`line ${text.slice(0, at).split("\n").length}: ${what}`);
  }

  function take(): Token {
    const taken = token;
    token = next(token.end);
    return taken;
  }

  function isSign(sign: string): boolean {
    return token.kind === "sign" && token.text === sign;
  }

  /** Reads what stands in brackets, of which there are not too many around it. */
  function nested<T>(read: () => T): T {
    if (++depth > deepest) throw problem(token.start, "it is nested too deep");
    const found = read();
    depth--;
    return found;
  }

  function body(closing: "end" | "}"): Body {
    const found: Body = { attributes: [], blocks: [] };
    while (!(closing === "end" ? token.kind === "end" : isSign("}"))) {
      const first = take();
      if (first.kind === "sign" || first.kind === "end")
        throw problem(first.start, `a name was expected, found ${first.text}`);
      if (isSign("=")) {
        take();
        const [value, end] = readValue();
        found.attributes.push({ key: first.text, value, start: first.start, end });
        if (isSign(",")) take();
        continue;
      }
      const labels: string[] = [];
      while (token.kind === "string" || token.kind === "word") labels.push(take().text);
      if (!isSign("{"))
        throw problem(token.start, `after ${first.text}, = or { was expected, found ${token.text}`);
      const inner = take().end;
      found.blocks.push({ type: first.text, labels, inner, body: nested(() => body("}")) });
      take();
    }
    return found;
  }

  function readValue(): [Value, number] {
    const first = take();
    if (first.kind === "string") return [first.text, first.end];
    if (first.kind === "word") return [scalar(first), first.end];
    if (first.text === "{") {
      const inner = nested(() => body("}"));
      return [inner, take().end];
    }
    if (first.text === "[") {
      const items: Value[] = [];
      while (!isSign("]")) {
        items.push(nested(() => readValue()[0]));
        if (isSign(",")) take();
        else if (!isSign("]")) throw problem(token.start, `, or ] was expected, found ${token.text}`);
      }
      return [items, take().end];
    }
    throw problem(first.start, `a value was expected, found ${first.text}`);
  }

  function scalar(read: Token): Value {
    if (read.text === "true" || read.text === "false") return read.text === "true";
    const number = Number(read.text);
    if (Number.isNaN(number)) throw problem(read.start, `${read.text} is no value; a text stands in quotes`);
    return number;
  }

  return body("end");
}

/** In HCL, the last of several equal keys counts. */
export const attribute = (body: Body, key: string): Attribute | undefined =>
  body.attributes.findLast((one) => one.key === key);

/** What a block sets a key to; undefined where it does not. */
export const setTo = (block: Block, key: string): Value | undefined => attribute(block.body, key)?.value;

/** Vault takes `1`, `true` and both as texts for yes. */
export const isTrue = (value: Value | undefined) => ["1", "t", "true"].includes(String(value).toLowerCase());

/** A seal that counts: one that is disabled is what a migration leaves by. */
export const isEnabledSeal = (block: Block): boolean =>
  block.type === "seal" && !isTrue(setTo(block, "disabled"));
