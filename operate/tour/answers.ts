/** What Vault answers the steps of a tour. Whatever is not named here is not shown. */
import { z } from "zod";

/** sys/health of a node at work. */
export const Health = z.object({
  initialized: z.literal(true),
  sealed: z.literal(false),
  standby: z.boolean(),
  version: z.string(),
  cluster_name: z.string(),
});

/** sys/seal-status of a node at work. */
export const SealStatus = z.object({
  type: z.string(),
  initialized: z.literal(true),
  sealed: z.literal(false),
  t: z.number(),
  n: z.number(),
  storage_type: z.string(),
});

/** auth/token/lookup-self */
export const TokenLookup = z.object({
  data: z.object({
    id: z.string(),
    display_name: z.string(),
    policies: z.array(z.string()),
    ttl: z.number(),
  }),
});

/** A secret that was written to kv version 2. */
export const Written = (version: number) =>
  z.object({ data: z.object({ version: z.literal(version), created_time: z.string() }) });

/** A secret of kv version 2, with this password. */
export const Secret = (password: string, version: number) =>
  z.object({
    data: z.object({
      data: z.object({ user: z.string(), password: z.literal(password) }),
      metadata: z.object({ version: z.literal(version), created_time: z.string() }),
    }),
  });

/** auth/token/create */
export const NewToken = z.object({
  auth: z.object({
    client_token: z.string(),
    policies: z.array(z.string()),
    lease_duration: z.number(),
    renewable: z.boolean(),
  }),
});

/** Any answer that was wrapped. */
export const Wrapped = z.object({
  wrap_info: z.object({ token: z.string(), ttl: z.number(), creation_path: z.string() }),
});

/** A key of transit. */
export const Key = z.object({
  data: z.object({ name: z.string(), type: z.string(), latest_version: z.number() }),
});

/** What transit has encrypted. */
export const Encrypted = z.object({ data: z.object({ ciphertext: z.string().startsWith("vault:v1:") }) });

/** An answer that is no success, in Vault's words. */
export const Refused = z.object({ errors: z.array(z.string()) });
