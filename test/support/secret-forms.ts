/** The ways in which a secret can be written down. */

/** One way: what it is called, and what to look for. */
export interface Form {
  form: string;
  bytes: Buffer;
}

/** A text in the clear, in hex, percent-encoded, and in base64, where it may stand in the middle of something larger. */
export function formsOf(secret: string): Form[] {
  return [{ form: "in the clear", bytes: Buffer.from(secret) }, ...encoded(Buffer.from(secret))].concat(
    encodeURIComponent(secret) === secret ? [] : percent(secret),
  );
}

/** A key share as Vault gives it, base64: the text, and the bytes that it stands for. */
export function formsOfShare(share: string): Form[] {
  const bytes = Buffer.from(share, "base64");
  return [
    ...formsOf(share),
    { form: "as bytes", bytes },
    // The text is base64 already; this finds it without its padding, and in the alphabet for addresses.
    ...encoded(bytes),
  ];
}

function percent(secret: string): Form[] {
  return [{ form: "percent-encoded", bytes: Buffer.from(encodeURIComponent(secret)) }];
}

function encoded(bytes: Buffer): Form[] {
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].flatMap((before) => {
    const inside = insideBase64(bytes, before);
    return [inside, inside.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [
    ...[hex, hex.toUpperCase()].map((text) => ({ form: "in hex", bytes: Buffer.from(text) })),
    ...[...new Set(base64)].map((text) => ({ form: "in base64", bytes: Buffer.from(text) })),
  ];
}

/**
 * What stays the same of bytes in base64, whatever stands around them, with so many bytes (modulo three) before:
 * characters that hold a bit of a neighbour are left out.
 */
function insideBase64(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString("base64")
    .replace(/=+$/, "");
  const first = Math.ceil((before * 8) / 6);
  const whole = Math.floor(((before + bytes.length) * 8) / 6);
  return text.slice(first, whole);
}
