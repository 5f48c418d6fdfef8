import { finding, type Rule } from "../rule.ts";

/** No share, token, unseal key or private key where Pulumi shows it and writes it down as it is. */
export const keyMaterial: Rule = {
  name: "key-material",
  says: "Shares, tokens and private keys are secret outputs: Pulumi prints any other, and keeps it in clear in its state.",
  find: ({ plain }) =>
    textsIn(plain).flatMap(({ at, text }) => {
      const what = kinds.find(({ isIn }) => isIn(text))?.name;
      if (what === undefined) return [];
      const mend =
        "Make it one with pulumi.secret(…), and what has seen it already void: a token is revoked, shares are made anew (vault operator rekey).";
      return finding(`The output ${at} looks like ${what}, and is no secret.`, mend);
    }),
};

/** How each kind is told by its look. The first that fits is named. */
const kinds: { name: string; isIn(text: string): boolean }[] = [
  { name: "a private key", isIn: hasPrivateKey },
  {
    // https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes; those of before 1.10: s. and 24 characters.
    name: "a token of Vault's",
    isIn: (text) =>
      /\bhv[sbr]\.[\w-]{20,}/.test(text) || /(?<![\w.-])[sbr]\.[A-Za-z0-9]{24,}(?![\w.-])/.test(text),
  },
  { name: "a key share or an unseal key", isIn: hasShare },
];

function hasPrivateKey(text: string): boolean {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return true;
  // Base64 of "-----BEGI", as Kubernetes and kubeconfigs have PEM.
  const encoded = text.match(/LS0tLS1CRUdJ[\w+/]+/g) ?? [];
  return encoded.some((part) => Buffer.from(part, "base64").includes("PRIVATE KEY-----"));
}

/**
 * A share is 33 bytes, an undivided key 32: 44 characters of base64, or 66 of hex. (64 of hex are a key too, but rather
 * a digest or a container's id.) Random ones have capitals, small letters and some 32 different characters, fewer than
 * 20 once in a hundred million times; a path of that length has fewer.
 */
function hasShare(text: string): boolean {
  if (/(?<!\w)[0-9a-f]{66}(?!\w)/.test(text)) return true;
  const words = text.match(/(?<![\w+/=.-])[A-Za-z0-9+/]{43}[A-Za-z0-9+/=](?![\w+/=.-])/g) ?? [];
  return words.some((word) => /[A-Z]/.test(word) && /[a-z]/.test(word) && new Set(word).size >= 20);
}

/** Every text in a value, and where it stands. */
function textsIn(value: unknown, at = ""): { at: string; text: string }[] {
  if (typeof value === "string") return [{ at, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    textsIn(item, Array.isArray(value) ? `${at}[${key}]` : at === "" ? key : `${at}.${key}`),
  );
}
