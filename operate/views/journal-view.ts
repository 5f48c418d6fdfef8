import { initialisedAt, readKeys } from "../../steps/lib/keys-file.ts";
import { type Custody, custodyOf, readRecord } from "../custody/record.ts";

/** What a stack's journal says of its initialisation: everything but the keys. */
export interface Journal {
  pod: string;
  intendedAt: string;
  /** When Vault's answer was written; absent where it never came. */
  initialisedAt?: string;
  /** UID of the claim that was initialised. */
  store?: string;
  /** Vault's own id, once the shares have unsealed a node. */
  clusterId?: string;
  /** How many shares it holds, in the clear or encrypted. */
  shares: number;
  threshold: number;
  /** Where they are recovery shares: the seal that unseals the nodes. */
  seal?: string;
  /** Where the root token was revoked: when, and the user who logs in since. */
  rootRevoked?: { at: string; user: string };
  /** When other shares or another token took the place of those before. */
  changedAt?: string;
  /** When a rekey was begun that has not ended. */
  rekeyBegunAt?: string;
  /** Where people hold the shares: who, and who has proved to have the key still. */
  holders?: Custody;
}

/** Reads it; undefined where there is none. Throws where others may read it, or it cannot be read. */
export async function journalView(stackDir: string): Promise<Journal | undefined> {
  const keys = await readKeys(stackDir);
  if (keys === undefined) return undefined;
  const { pod, intendedAt, answer, pgp, pvcUid, custody, threshold, rootRevoked, rekey, changedAt, seal } =
    keys;
  const answeredAt = initialisedAt(keys);
  return {
    pod,
    intendedAt,
    shares: (answer ?? pgp)?.shares.length ?? 0,
    threshold,
    ...(seal && { seal }),
    ...(answeredAt && { initialisedAt: answeredAt }),
    ...(pvcUid && { store: pvcUid }),
    ...(custody && { clusterId: custody.clusterId }),
    ...(changedAt && { changedAt }),
    ...(rootRevoked && { rootRevoked }),
    ...(rekey && { rekeyBegunAt: rekey.begunAt }),
    ...(pgp && { holders: custodyOf(pgp, await readRecord(stackDir)) }),
  };
}
