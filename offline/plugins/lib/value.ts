import { isDeepStrictEqual } from "node:util";

/**
 * Property values as the engine sends them: JSON in which a secret, an asset or a resource is an object that
 * carries a signature, and a value that is not known before the update is one of seven fixed strings.
 * The constants are Pulumi's wire protocol (pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go and sig.go).
 */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
/** The properties of one resource. */
export type Values = { [key: string]: Value };

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSETS = ["c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"];
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWNS = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  UNKNOWN_STRING,
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** What an output is during a preview, when only the update can tell it. */
export const unknown: Value = UNKNOWN_STRING;
/** What {@link plain} puts where a value is not known yet. */
export const UNKNOWN = Symbol("unknown");
/** A value without its secret wrappings. */
export type Plain = null | boolean | number | string | typeof UNKNOWN | Plain[] | { [key: string]: Plain };

type Signed = { [key: string]: Value };
type Secret = Signed & { value: Value };

/** True for an object that stands for something else: a secret, an asset, a resource. */
export function isSigned(value: Value | undefined): value is Signed {
  return typeof value === "object" && value !== null && !Array.isArray(value) && SIGNATURE in value;
}

/** True for a value that is wrapped as a secret. */
export function isSecret(value: Value | undefined): value is Secret {
  return isSigned(value) && value[SIGNATURE] === SECRET;
}

/** True for a value that the engine cannot know before the update, secret or not. */
export function isUnknown(value: Value | undefined): boolean {
  if (isSecret(value)) return isUnknown(value.value);
  return typeof value === "string" && UNKNOWNS.has(value);
}

/** True where an update would have something to write: neither absent nor null. */
export function hasValue<T extends Value>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

/** Takes every secret wrapping off, and puts {@link UNKNOWN} where a value is not known. */
export function plain(value: Value): Plain {
  if (isUnknown(value)) return UNKNOWN;
  if (isSecret(value)) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

/** Equality as the engine has it: null is as good as absent, assets are equal by their hash. */
export function equal(one: Value | undefined, other: Value | undefined): boolean {
  if (!hasValue(one) || !hasValue(other)) return hasValue(one) === hasValue(other);
  if (isSigned(one) || isSigned(other)) return isSigned(one) && isSigned(other) && equalSigned(one, other);
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other)) return false;
    return one.length === other.length && one.every((part, at) => equal(part, other[at]));
  }
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  const keys = [...Object.keys(one), ...Object.keys(other)];
  return keys.every((key) => equal(one[key], other[key]));
}

function equalSigned(one: Signed, other: Signed): boolean {
  if (one[SIGNATURE] !== other[SIGNATURE]) return false;
  if (isSecret(one)) return equal(one.value, other.value);
  if (ASSETS.includes(String(one[SIGNATURE])) && one.hash && other.hash) return one.hash === other.hash;
  return isDeepStrictEqual(one, other);
}
