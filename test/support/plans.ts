/** Plans as plain data: a stack of three nodes that stands, with a change here and there. */
import { type Values, withValue } from "../../components/values-file.ts";
import { settingsOf } from "../../config.ts";
import type { Change } from "../../operate/preview/change.ts";
import { type Judgement, judge } from "../../operate/preview/judge.ts";
import type { Plan, Running } from "../../operate/preview/plan.ts";

export const clusterId = "aab0078d-a607-12ec-5f88-f7e1c716e4e2";
export const stores = { "vault-0": "store-0", "vault-1": "store-1", "vault-2": "store-2" };

const types: [RegExp, string][] = [
  [
    /^(lifecycle|cluster-create|vault-(keys|leave)|vault-tls-(authority|certificate|found))/,
    "command:local:Command",
  ],
  [/-release$/, "kubernetes:helm.sh/v3:Release"],
  [/-namespace$/, "kubernetes:core/v1:Namespace"],
  [/-secret$/, "kubernetes:core/v1:Secret"],
  [/-ingress$/, "kubernetes:networking.k8s.io/v1:Ingress"],
  [/-deployment$/, "kubernetes:apps/v1:Deployment"],
  [/-provider$/, "pulumi:providers:kubernetes"],
];

/** One change of the resource that is named. */
export function change(op: Change["op"], name: string, more: Partial<Change> = {}): Change {
  const type = types.find(([pattern]) => pattern.test(name))?.[1] ?? "kubernetes:core/v1:Service";
  return { op, name, type, before: {}, after: {}, differing: [], retained: false, ...more };
}

/** Vault's release as the program sets it, with some values changed. */
export function values(changes: Record<string, unknown> = {}): Values {
  const base: Values = {
    global: { tlsDisable: false },
    server: {
      image: { repository: "hashicorp/vault", tag: "2.0.3" },
      dataStorage: { enabled: true, size: "10Gi" },
      ha: { replicas: 3, raft: { config: 'storage "raft" {\n  path = "/vault/data"\n}\n' } },
    },
    ui: { serviceType: "NodePort" },
  };
  return Object.entries(changes).reduce((all, [path, value]) => withValue(all, path, value), base);
}

/** Three nodes, unsealed, of which vault-1 leads. */
export const running: Running = {
  nodes: ["vault-0", "vault-1", "vault-2"].map((name) => ({
    name,
    sealed: false,
    leads: name === "vault-1",
    outdated: false,
  })),
  key: { shares: 5, threshold: 3 },
  volumes: [{ name: "data", size: "10Gi" }],
  unknown: [],
};

export interface PlanOptions extends Partial<Omit<Plan, "settings" | "release">> {
  config?: Record<string, string>;
  /** Values of the release that change, by path: what they are to be. */
  values?: Record<string, unknown>;
  /** Values of the release before. */
  from?: Record<string, unknown>;
}

/** A plan of the stack `prod`. Values that change make the release, and the step rollout, change. */
export function plan({ config = {}, values: to, from = {}, changes = [], ...more }: PlanOptions = {}): Plan {
  const full = Object.fromEntries(Object.entries(config).map(([key, value]) => [`vault-ha:${key}`, value]));
  const release =
    to === undefined ? [] : [change("update", "vault-release"), change("update", "lifecycle-rollout")];
  return {
    stack: "prod",
    stackDir: ".local/stacks/prod",
    changes: [...release, ...changes],
    release: { before: values(from), after: values({ ...from, ...to }) },
    settings: settingsOf("prod", full),
    vault: { clusterId, stores },
    running,
    clusterCauses: [],
    commands: {
      up: "npm run up -- --stack prod",
      down: "npm run down -- --stack prod",
      kubectl: (command) => `kubectl ${command}`,
      snapshot: () => ["take a snapshot"],
      giveUp: (lost) => `pulumi config set vault.giveUp ${lost.join(",")} --stack prod`,
    },
    ...more,
  };
}

/** What a plan comes to. */
export const judged = (options?: PlanOptions): Judgement => judge(plan(options));
