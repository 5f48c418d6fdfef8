/** The policy pack: `pulumi preview --policy-pack policy`. docs/policy.md */
import { type Policies, PolicyPack } from "@pulumi/policy";
import * as pulumi from "@pulumi/pulumi";
import { readSettings, settingTexts } from "../config.ts";
import { checkout } from "../setup/folders.ts";
import { isDevelopment, type Rule, type Stack } from "./rule.ts";
import { rules } from "./rules.ts";
import { seen } from "./seen.ts";

const name = pulumi.getStack();
const stack: Stack = { name, settings: readSettings(settingTexts(pulumi.runtime.allConfig())).settings };

/** A rule as the SDK wants it. */
const policy = ({ name, says: description, of, find }: Rule): Policies[number] =>
  of
    ? {
        name,
        description,
        validateResource: (args, report) => {
          if (of.includes(args.name)) for (const found of find(seen(args), stack)) report(found);
        },
      }
    : {
        name,
        description,
        validateStack: ({ resources }, report) => {
          for (const resource of resources)
            for (const found of find(seen(resource), stack)) report(found, resource.urn);
        },
      };

// The pack has no package.json of its own: the SDK takes the version from the one in the working folder.
process.chdir(checkout);
new PolicyPack("vault-ha", {
  enforcementLevel: isDevelopment(name) ? "advisory" : "mandatory",
  policies: rules.map(policy),
});
