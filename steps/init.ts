import { z } from "zod";
import { StepError } from "./lib/errors.ts";
import { runStep, type Step, Timeout, Verbatim } from "./lib/io.ts";
import { type Keys, keysPath, readKeys, writeKeys } from "./lib/keys-file.ts";
import { openRoad } from "./lib/reach.ts";
import { kubectl, Target, upAgain } from "./lib/target.ts";
import { Vault } from "./lib/vault.ts";
import type { SealStatus } from "./lib/vault-answers.ts";
import { VaultError } from "./lib/vault-error.ts";
import { until } from "./lib/wait.ts";

const Input = Target.extend(Timeout.shape).extend({
  pod: z.string().min(1),
  shares: z.number().int().min(1).max(255),
  threshold: z.number().int().min(1).max(255),
});
type Input = z.output<typeof Input>;

/** What init printed when it first ran; only its shape matters here. */
const Printed = z.object({ pod: z.string(), pvcUid: z.string().optional(), shares: z.array(z.string()) });

/**
 * Initialises Vault, once in the life of a store. Whether that was done is asked of Vault; what was answered is
 * in the keys file, and in PULUMI_COMMAND_STDOUT when Pulumi updates.
 */
await runStep("init", Input, async (input, step) => {
  const { pod, stackDir } = input;
  const road = await openRoad(input);
  const vault = new Vault(road, pod, step);
  const status = await until(`${pod} to answer`, () => vault.sealStatus(), step, kubectl(input, "get pods"));
  const store = await until(`the store of ${pod}`, () => road.storeOf(pod, step.signal), step);

  const printed = process.env.PULUMI_COMMAND_STDOUT;
  if (printed) return printAgain(printed, status, store, input, step);

  const keys = await readKeys(stackDir);
  const facts = { keys, store, status, input, step };
  if (keys !== undefined) refuseForeign(facts, keys);
  if (status.initialized) return answerOf(known(facts));
  if (keys?.answer !== undefined) throw blankStore(facts, keys);
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
  const { pod, stack, stackDir, shares, threshold } = input;
  const intent: Keys = {
    version: 1,
    stack,
    pod,
    ...(store !== undefined && { pvcUid: store }),
    intendedAt: new Date().toISOString(),
    threshold,
  };
  return step.unbroken(async () => {
    await writeKeys(stackDir, intent);
    const answer = await vault.init(shares, threshold).catch((error) => {
      if (error instanceof VaultError) throw new StepError(error.message, upAgain(input));
      throw new StepError(
        `${error.message}. Whether ${pod} is initialised now is not known; the next run asks it`,
        upAgain(input),
      );
    });
    step.hide(...answer.keys_base64, answer.root_token);
    const initialisedAt = new Date().toISOString();
    const keys: Keys = {
      ...intent,
      answer: { shares: answer.keys_base64, rootToken: answer.root_token, initialisedAt },
    };
    await writeKeys(stackDir, keys);
    step.say(`initialised with ${shares} shares, threshold ${threshold}; they are in ${keysPath(stackDir)}`);
    return keys;
  });
}

/** The keys of a Vault that is initialised already. */
function known({ keys, store, input, step }: Facts): Keys {
  const { pod, stackDir } = input;
  if (keys?.answer !== undefined) {
    if (differ(keys.pvcUid, store)) {
      throw new StepError(
        `${pod} is initialised, but ${keysPath(stackDir)} holds the keys of another store: keys of ${keys.pvcUid}, found ${store}. Nothing was changed. If ${pod} was given a new disk and joined again, the keys are right: bring back the stack's state instead of creating it anew`,
        `pulumi stack history --stack ${input.stack}`,
      );
    }
    step.say(`already initialised at ${keys.answer.initialisedAt}; its keys are in ${keysPath(stackDir)}`);
    return keys;
  }
  if (keys === undefined) {
    throw new StepError(
      `${pod} is initialised already, and not by this stack: there is no ${keysPath(stackDir)}. Nothing was changed. If you have that file, put it back (mode 0600); without the shares its data cannot be read by anybody, and a Vault that holds nothing can begin anew with a fresh volume`,
      kubectl(input, `get pvc data-${pod} --output yaml`),
    );
  }
  throw new StepError(
    `${pod} is initialised, and its keys never reached the disk: the stack asked for init at ${keys.intendedAt} (store ${keys.pvcUid ?? "not named"}) and was ended before the answer was written. Nothing can be in that store, for nobody could ever unseal it. The way out: a fresh volume for ${pod}, then ${upAgain(input)}`,
    kubectl(input, `delete pvc/data-${pod} pod/${pod}`),
  );
}

function blankStore({ store, input, status }: Facts, { pvcUid, answer }: Keys): StepError {
  const { pod, stackDir } = input;
  return new StepError(
    `${pod} is not initialised, but this stack initialised it at ${answer?.initialisedAt}. Known store: ${pvcUid ?? "not named"}; found: ${store ?? "not named"}, blank (Vault ${status.version}). It is not initialised again: the keys in ${keysPath(stackDir)} open the known store and its snapshots, and no other. Bring the known volume back, or restore a snapshot. To begin anew and lose what the known store held, move the keys file away first`,
    `mv ${keysPath(stackDir)} ${keysPath(stackDir)}.old`,
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

/** Pulumi's update overwrites the stored output, so the first one is printed again, to the letter. */
function printAgain(
  text: string,
  status: SealStatus,
  store: string | undefined,
  input: Input,
  step: Step,
): Verbatim {
  const { pod } = input;
  const printed = readPrinted(text);
  step.hide(...printed.shares);
  if (!status.initialized) {
    throw new StepError(
      `${pod} is not initialised, but this stack initialised it before. Known store: ${printed.pvcUid ?? "not named"}; found: ${store ?? "not named"}, blank. It is not initialised again: the stack's shares open the known store and its snapshots, and no other. Bring the known volume back, or restore a snapshot`,
      kubectl(input, `get pvc data-${pod} --output yaml`),
    );
  }
  if (differ(printed.pvcUid, store)) {
    step.say(`note: ${pod} was initialised on the store ${printed.pvcUid}, and now runs on ${store}`);
  }
  step.say("already initialised; its first answer is kept");
  return new Verbatim(text);
}

function readPrinted(text: string): z.output<typeof Printed> {
  try {
    return Printed.parse(JSON.parse(text));
  } catch {
    throw new StepError(
      "PULUMI_COMMAND_STDOUT is set, but it is not what init printed before; nothing was changed",
    );
  }
}

/** Whether two identities are both known and not the same. */
function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

function answerOf({ pod, pvcUid, answer }: Keys): object {
  const { shares, rootToken, clusterName } = answer ?? {};
  return { pod, clusterName, pvcUid, shares, rootToken };
}
