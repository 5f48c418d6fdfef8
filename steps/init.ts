import { z } from "zod";
import { StepError } from "./lib/errors.ts";
import { Holder, shortId } from "./lib/holder.ts";
import { runStep, type Step, Timeout } from "./lib/io.ts";
import {
  initialisedAt,
  type Keys,
  keepAside,
  keysPath,
  type PgpAnswer,
  readKeys,
  writeKeys,
} from "./lib/keys-file.ts";
import { openRoad, wayAsMade } from "./lib/reach.ts";
import { sealType, unlikeSeal } from "./lib/self-unseal.ts";
import { giveUpCommand, kubectl, Target, upAgain } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import type { Init, SealStatus } from "./lib/vault-answers.ts";
import { VaultError } from "./lib/vault-error.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pod: z.string().min(1),
  shares: z.number().int().min(1).max(255),
  threshold: z.number().int().min(1).max(255),
  /** Who holds the shares, one holder for each, and the root token (custody.mode pgp); absent where the stack does. */
  holders: z.object({ shares: z.array(Holder).min(1), rootToken: Holder }).optional(),
  /** What unseals the nodes by itself: the shares are recovery shares then. */
  seal: sealType.optional(),
});
type Input = z.output<typeof Input>;

/**
 * Initialises Vault, once in the life of a store. Whether that was done is asked of Vault; what was answered is
 * in the keys file. Pulumi never updates this step, so its answer stays in the state as it was first printed.
 */
await runStep("init", Input, async (input, step) => {
  const { pod, stackDir } = input;
  // Its input may be older than the pod: see ignoreChanges in components/vault-lifecycle.ts.
  const way = await until(pod, () => wayAsMade(input, pod, step.signal), step, kubectl(input, "get pods"));
  const road = await openRoad(way);
  const vault = new Vault(road, pod, step);
  const status = await until(`${pod} to answer`, () => vault.sealStatus(), step, kubectl(input, "get pods"));
  const store = await until(`the store of ${pod}`, () => road.storeOf(pod, step.signal), step);

  const keys = await readKeys(stackDir);
  const facts: Facts = { keys, store, status, input, step };
  if (keys !== undefined) refuseForeign(facts, keys);
  if (status.initialized) return answerOf(known(facts));
  if (status.type !== (input.seal ?? "shamir")) throw unlikeSeal(pod, status, input);
  await giveUpOrRefuse(facts);
  return answerOf(await initialise(vault, facts));
});

interface Facts {
  keys: Keys | undefined;
  store: string | undefined;
  status: SealStatus;
  input: Input;
  step: Step;
}

/** Writes the intent, initialises, and has the answer on the disk before anything else happens with it. */
async function initialise(vault: Vault, { store, input, step }: Facts): Promise<Keys> {
  const { pod, stack, stackDir, shares, threshold, seal, holders } = input;
  const to = {
    recovery: seal !== undefined,
    holders: holders && {
      shares: holders.shares.map(({ publicKey }) => publicKey),
      rootToken: holders.rootToken.publicKey,
    },
  };
  const intent: Keys = {
    version: 1,
    stack,
    pod,
    ...(store !== undefined && { pvcUid: store }),
    intendedAt: new Date().toISOString(),
    threshold,
    ...(seal !== undefined && { seal }),
  };
  return step.unbroken(async () => {
    await writeKeys(stackDir, intent);
    const answer = await vault.init(shares, threshold, to).catch((error) => {
      if (error instanceof VaultError) throw refusedInit(error, store, input);
      throw new StepError(
        `${error.message}. Whether ${pod} is initialised now is not known; the next run asks it`,
        upAgain(input),
      );
    });
    step.hide(...answer.shares, answer.rootToken);
    const keys: Keys = { ...intent, ...answered(answer, input) };
    await writeKeys(stackDir, keys);
    const whose = holders
      ? `, each encrypted to its holder (${holders.shares.map(shortId).join(", ")}); the root token to ${shortId(holders.rootToken)}`
      : "";
    const kind = seal === undefined ? "shares" : `recovery shares (the seal ${seal} unseals the nodes)`;
    step.say(
      `initialised with ${shares} ${kind}, threshold ${threshold}${whose}; they are in ${keysPath(stackDir)}`,
    );
    return keys;
  });
}

/** Vault's answer as the journal has it. */
function answered(
  { shares, rootToken }: Init,
  { holders }: Pick<Input, "holders">,
): Pick<Keys, "answer" | "pgp"> {
  const initialisedAt = new Date().toISOString();
  if (holders === undefined) return { answer: { shares, rootToken, initialisedAt } };
  const pgp: PgpAnswer = {
    // Vault gives them in the order of the keys.
    shares: holders.shares.map((holder, at) => ({ holder, encrypted: shares[at] ?? "" })),
    rootToken: { holder: holders.rootToken, encrypted: rootToken },
    initialisedAt,
  };
  return { pgp };
}

/**
 * A Vault that ended while it initialised leaves raft's state without a seal: it says that it is not initialised, and
 * refuses to be. Nobody has keys of such a store, so a fresh volume loses nothing.
 */
function refusedInit({ message }: VaultError, store: string | undefined, input: Input): StepError {
  const { pod } = input;
  if (!message.includes("already has state")) return new StepError(message, upAgain(input));
  return new StepError(
    `${message}. An initialisation of ${pod} was cut off half way: it can neither be finished nor done again in that store (${store ?? "not named"}), and nobody was given keys for it, so nothing can be in it. The way out: a fresh volume for ${pod}, then ${upAgain(input)}`,
    freshVolume(input, store),
  );
}

/** The command that gives the pod a fresh volume and gives up its store. */
function freshVolume(input: Input, store: string | undefined): string {
  const out = kubectl(input, `delete pvc/data-${input.pod} pod/${input.pod}`);
  return store === undefined ? out : `${out} && ${giveUpCommand(input, [store])}`;
}

/** The keys of a Vault that is initialised already. */
function known(facts: Facts): Keys {
  const { keys, store, status, input, step } = facts;
  const { pod, stackDir } = input;
  const answeredAt = keys && initialisedAt(keys);
  if (keys !== undefined && answeredAt !== undefined) {
    // A node that has joined its Vault anew is on another store, and says whose it is while it is unsealed.
    const joinedAnew = status.cluster_id !== undefined && status.cluster_id === keys.custody?.clusterId;
    if (differ(keys.pvcUid, store) && !joinedAnew) {
      throw new StepError(
        `${pod} is initialised, but ${keysPath(stackDir)} holds the keys of another store: keys of ${keys.pvcUid}, found ${store}. Nothing was changed. If ${pod} was given a new disk and joined again, the keys are right: bring back the stack's state instead of creating it anew`,
        `pulumi stack history --stack ${input.stack}`,
      );
    }
    step.say(`already initialised at ${answeredAt}; its keys are in ${keysPath(stackDir)}`);
    return keys;
  }
  if (keys === undefined) {
    throw new StepError(
      `${pod} is initialised already, and not by this stack: there is no ${keysPath(stackDir)}. Nothing was changed. If you have that file, put it back (mode 0600); without the shares its data cannot be read by anybody, and a Vault that holds nothing can begin anew with a fresh volume`,
      kubectl(input, `get pvc data-${pod} --output yaml`),
    );
  }
  throw lostAnswer(facts, keys);
}

/**
 * Vault took the call and its answer never reached the disk: the one window that cannot be closed. A fresh volume is
 * a safe way out only where nothing but that call ever happened in the store: it is the store of the intent, which
 * was blank then, and it is sealed. Whoever unsealed it has its keys.
 */
function lostAnswer({ store, status, input }: Facts, { intendedAt, pvcUid }: Keys): StepError {
  const { pod } = input;
  const begun = `the stack asked for init at ${intendedAt} (store ${pvcUid ?? "not named"}) and was ended before the answer was written`;
  if (!status.sealed || differ(pvcUid, store)) {
    const why = status.sealed ? `it runs on another store now (${store})` : "it is unsealed";
    return new StepError(
      `${pod} is initialised, and this stack has no keys for it: ${begun}; but ${why}, so somebody else has its keys and it may hold data. Nothing was changed. Ask who initialised it, and put the keys file back`,
      kubectl(input, `get pod/${pod} pvc/data-${pod} --output wide`),
    );
  }
  return new StepError(
    `${pod} is initialised, and its keys never reached the disk: ${begun}. It is sealed and was blank before, so nothing can be in that store, and nobody can ever unseal it. The way out: a fresh volume for ${pod}, then ${upAgain(input)}`,
    freshVolume(input, pvcUid),
  );
}

/** A blank store behind a known identity is initialised only where somebody has given the known one up. */
async function giveUpOrRefuse({ keys, store, status, input, step }: Facts): Promise<void> {
  const { pod, stackDir, giveUp } = input;
  const answeredAt = keys && initialisedAt(keys);
  if (keys === undefined || answeredAt === undefined) return;
  const lost = keys.pvcUid;
  if (lost !== undefined && giveUp.includes(lost) && lost !== store) {
    step.say(`store ${lost} was given up; its keys are kept in ${await keepAside(stackDir, lost)}`);
    return;
  }
  throw new StepError(
    `${pod} is not initialised, but this stack initialised it at ${answeredAt}. Known store: ${lost ?? "not named"}; found: ${store ?? "not named"}, blank (Vault ${status.version}). It is not initialised again: the stack's shares open the known store and its snapshots, and no other. Bring the known volume back, or restore a snapshot. To begin anew and lose what the known store held, give ${pod} a fresh volume and give the known one up`,
    lost === undefined ? kubectl(input, `get pvc data-${pod} --output yaml`) : giveUpCommand(input, [lost]),
  );
}

/** Keys of another stack or pod in this folder: somebody copied or mixed something up. */
function refuseForeign({ input }: Facts, keys: Keys): void {
  if (keys.stack === input.stack && keys.pod === input.pod) return;
  throw new StepError(
    `${keysPath(input.stackDir)} belongs to pod ${keys.pod} of stack ${keys.stack}, not to ${input.pod} of ${input.stack}. Nothing was changed`,
    `ls -l ${input.stackDir}`,
  );
}

/** Whether two identities are both known and not the same. */
function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** Where people hold the shares there is none to answer with, and the stack's token is another step's. */
function answerOf({ pod, pvcUid, answer, pgp }: Keys): object {
  if (pgp !== undefined) return { pod, pvcUid, shares: [], rootToken: "", pgp };
  return { pod, pvcUid, shares: answer?.shares, rootToken: answer?.rootToken };
}
