/** Which Vault each node runs, before a rollout and after it. */
import { NotYet, StepError, words } from "./errors.ts";
import type { Opening, RollingNodes } from "./rolling-nodes.ts";
import { upAgain } from "./target.ts";
import { isOlder, tagOf, versionNumbers } from "./vault-version.ts";
import { mayPass, until, type Waiting } from "./wait.ts";

/**
 * Compares the image with what runs. A node that does not answer is left out: what it has stored, another one has, too.
 * @throws StepError where a node runs a newer Vault than the image is
 */
export async function refuseDowngrade(nodes: RollingNodes, opening: Opening, step: Waiting): Promise<void> {
  const image = await until("the release's image", () => nodes.image(), step);
  const tag = tagOf(image);
  if (versionNumbers(tag) === undefined)
    step.say(`the image ${image} does not say its version, so whether it is an older one is not known`);
  for (const node of nodes.names) {
    const version = await versionOf(node, nodes).catch((error) => {
      if (!mayPass(error)) throw error;
      step.say(`which Vault ${node} runs is not known: ${words(error)}`);
      return undefined;
    });
    if (version !== undefined && isOlder(tag, version) === true)
      throw new StepError(
        `${node} runs Vault ${version}, and the release's image is ${image}. Vault does not read what a newer version of it may have stored, so no node is taken back. Nothing was restarted. Go back to the image of ${version} or a newer one; to have the older Vault all the same, raise a new stack with it, and bring the data there by other means`,
        upAgain(opening),
      );
  }
}

/**
 * Tells which Vault the nodes run.
 * @throws StepError where they do not all run the same, which is that of the image, as far as that says
 */
export async function sayVersions(nodes: RollingNodes, step: Waiting): Promise<void> {
  const image = await until("the release's image", () => nodes.image(), step);
  const found = new Map<string, string[]>();
  for (const node of nodes.names) {
    const version = await until(`the version of ${node}`, () => versionOf(node, nodes), step);
    found.set(version, [...(found.get(version) ?? []), node]);
  }
  const [[version, ...others], tag] = [[...found.keys()], tagOf(image)];
  if (version === undefined || others.length > 0 || !says(tag, version))
    throw new StepError(
      `the nodes do not run what the release's image (${image}) says: ${[...found].map(([version, on]) => `${version} on ${on.join(", ")}`).join("; ")}`,
      "npm run doctor",
    );
  const known = versionNumbers(tag) !== undefined;
  step.say(`every node runs Vault ${version}${known ? "" : `; the image ${image} does not say its version`}`);
}

/** Whether a tag may be of this version; one that names none may. */
const says = (tag: string, version: string): boolean =>
  isOlder(tag, version) !== true && isOlder(version, tag) !== true;

async function versionOf(node: string, nodes: RollingNodes): Promise<string> {
  const vault = await nodes.vault(node);
  try {
    const { version } = await vault.sealStatus();
    if (version === "") throw new NotYet(`${node} does not say its version`);
    return version;
  } finally {
    vault.close();
  }
}
