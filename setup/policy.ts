/** Arguments with which `pulumi preview` and `pulumi up`, run in the checkout, keep to the policy pack (docs/policy.md). */
export const policyArgs = ["--policy-pack", "policy"] as const;
