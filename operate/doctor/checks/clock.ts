import { commandsOf } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/**
 * How far clocks may be apart, in milliseconds. The certificates that Vault makes for the connections between its
 * nodes are valid from 30 s before they were made (vault/cluster.go and physical/raft/streamlayer.go, NotBefore): a
 * node whose clock is further behind refuses them.
 */
const toleranceMs = 30_000;

/** Whether the clocks of the nodes and of this machine agree. */
export const clock: Check = {
  looks: `clocks: each node's against this machine's, and each standby's against the leader's (${toleranceMs / 1000} s may lie between)`,
  *find({ subject, vault }) {
    for (const [node, { value }] of Object.entries(vault)) {
      if (value === undefined) continue;
      const toActive = value.clockSkewMs ?? 0;
      const [apart, from] =
        Math.abs(value.clockAheadMs) >= Math.abs(toActive)
          ? [value.clockAheadMs, "this machine's"]
          : [-toActive, "the leader's"];
      if (Math.abs(apart) <= toleranceMs) continue;
      const seconds = Math.round(Math.abs(apart) / 1000);
      yield {
        id: "clock-skew",
        nodes: [node],
        wrong: `the clock of ${node} is ${seconds} s ${apart > 0 ? "ahead of" : "behind"} ${from}`,
        evidence: [
          {
            asked: `GET /v1/sys/health of ${node}: server_time_utc`,
            answered: `${value.clockAheadMs} ms ahead of this machine's clock`,
          },
          ...(value.clockSkewMs === undefined
            ? []
            : [
                {
                  asked: `the same: clock_skew_ms, the leader's clock less its own`,
                  answered: `${value.clockSkewMs} ms`,
                },
              ]),
        ],
        means: `Vault's own certificates between its nodes are valid from ${toleranceMs / 1000} s before they were made: a node whose clock is further behind refuses the others. Leases and tokens end too early or too late.`,
        next: [
          commandsOf(subject).kubectl(`exec ${node} -- date -u`),
          "# containers have the clock of the machine that Docker runs on: set that one (timedatectl set-ntp true)",
        ],
      };
    }
  },
};
