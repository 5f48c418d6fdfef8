import { z } from "zod";
import { shellWord } from "../../setup/shell-word.ts";
import { Encrypted, Key } from "./answers.ts";
import type { Values } from "./api.ts";
import { description, type Names } from "./names.ts";
import { root, type TourStep } from "./step.ts";

/** Encryption for others. */
export function transitSteps({ transit }: Names, values: Values): TourStep[] {
  return [
    {
      name: "enable transit",
      says: "Mounts an engine that encrypts and decrypts for others and stores nothing of what it is given.",
      call: {
        method: "POST",
        path: `sys/mounts/${transit}`,
        token: root,
        body: { type: "transit", description },
      },
      cli: `vault secrets enable -path=${transit} -description=${shellWord(description)} transit`,
      answer: z.null(),
    },
    {
      name: "make a key",
      says: "Makes an encryption key. It never leaves Vault.",
      call: { method: "POST", path: `${transit}/keys/letters`, token: root },
      cli: `vault write -f ${transit}/keys/letters`,
      answer: Key,
    },
    {
      name: "encrypt",
      says: "Encrypts a text, which is sent in base64.",
      call: {
        method: "POST",
        path: `${transit}/encrypt/letters`,
        token: root,
        body: { plaintext: "$PLAINTEXT" },
      },
      cli: `CIPHERTEXT="$(printf %s "$PLAINTEXT" | vault write -field=ciphertext ${transit}/encrypt/letters plaintext=-)"`,
      answer: Encrypted,
      keeps: { name: "CIPHERTEXT", from: ["data", "ciphertext"] },
    },
    {
      name: "decrypt",
      says: "Decrypts it: the same text comes back.",
      call: {
        method: "POST",
        path: `${transit}/decrypt/letters`,
        token: root,
        body: { ciphertext: "$CIPHERTEXT" },
      },
      cli: `printf %s "$CIPHERTEXT" | vault write ${transit}/decrypt/letters ciphertext=-`,
      answer: z.object({ data: z.object({ plaintext: z.literal(values.PLAINTEXT ?? "") }) }),
    },
  ];
}
