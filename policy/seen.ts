/** What Pulumi shows a policy, as plain data. */
import { createRequire } from "node:module";
import { type PolicyResource, type ResourceValidationArgs, Secret } from "@pulumi/policy";
import type { Resource } from "./rule.ts";

// Pulumi tells a pack which values are secret, but the SDK takes that off before a validation, and keeps it for
// remediations alone (its second argument). Without it no rule could tell a secret output from a plain one.
const sdk = createRequire(import.meta.url)("@pulumi/policy/deserialize.js") as {
  deserializeProperties(properties: unknown, keepsSecrets: boolean): Record<string, unknown>;
};
const { deserializeProperties } = sdk;
sdk.deserializeProperties = (properties) => deserializeProperties(properties, true);

/** A resource of the SDK as a rule sees it. */
export function seen({ name, props }: ResourceValidationArgs | PolicyResource): Resource {
  return {
    name,
    props: plainData(props, true) as Record<string, unknown>,
    plain: plainData(props, false) as Record<string, unknown>,
  };
}

/** Without what is not known yet, and with what is secret or without. */
function plainData(value: unknown, withSecrets: boolean): unknown {
  if (Array.isArray(value)) return value.map((_, i) => item(value, String(i), withSecrets));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.keys(value).map((key) => [key, item(value, key, withSecrets)]);
  return Object.fromEntries(entries.filter(([, held]) => held !== undefined));
}

function item(holder: object, key: string, withSecrets: boolean): unknown {
  // Reading the property would unwrap the secret.
  const isSecret = Object.getOwnPropertyDescriptor(holder, key)?.value instanceof Secret;
  if (isSecret && !withSecrets) return undefined;
  try {
    return plainData((holder as Record<string, unknown>)[key], withSecrets);
  } catch {
    // The SDK throws where a value is not known before the update. Nothing else is run here.
    return undefined;
  }
}
