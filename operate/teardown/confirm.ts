import type { Resource } from "../../setup/stack.ts";
import { confirmName } from "../confirm-name.ts";

/** Whether Pulumi protects any of a stack's resources (teardown.protected). */
export function isProtected(resources: Resource[]): boolean {
  return resources.some((resource) => resource.protect === true);
}

/** Has somebody name the protected stack that is to be destroyed; see confirmName. */
export async function confirmDestroy(stack: string, named: string | undefined): Promise<void> {
  await confirmName(stack, named, {
    because: `Stack ${stack} is protected (teardown.protected).`,
    to: "To destroy it",
    undone: "Nothing was destroyed.",
    command: `npm run down -- --stack ${stack} --confirm ${stack}`,
  });
}
