import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { settingsOf } from "../../config.ts";
import { rightsProblems } from "../../setup/preflight-existing.ts";
import {
  grantingRoles,
  missingRights,
  neededRights,
  rightsInWords,
  withoutCreation,
} from "../../setup/rights.ts";
import type { Kube } from "../../steps/lib/kube.ts";

const settings = (config: Record<string, string> = {}) =>
  settingsOf("prod", {
    "vault-ha:cluster.driver": "existing",
    "vault-ha:cluster.context": "prod",
    ...Object.fromEntries(Object.entries(config).map(([key, value]) => [`vault-ha:${key}`, value])),
  });
const stands = { namespaceStands: true, delegates: true };

/** What is asked of Kubernetes in one review. */
interface Asked {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
}

/** A Kubernetes API that allows what `may` says, and notes what it was asked. */
function kubeThatAllows(may: (asked: Asked) => boolean): { kube: Kube; asked: Asked[] } {
  const asked: Asked[] = [];
  const create = async (path: string, object: object) => {
    if (path.endsWith("selfsubjectreviews")) return { status: { userInfo: { username: "jane" } } };
    const { resourceAttributes } = (object as { spec: { resourceAttributes: Asked } }).spec;
    asked.push(resourceAttributes);
    return { status: { allowed: may(resourceAttributes) } };
  };
  return { kube: { create } as unknown as Kube, asked };
}
const lacking = async (may: (asked: Asked) => boolean, needed = neededRights(settings(), stands)) =>
  rightsInWords(await missingRights(kubeThatAllows(may).kube, "vault", needed, AbortSignal.any([])), "vault");
const notAdmin = (asked: Asked) => asked.resource !== "*";

describe("the rights on a cluster that exists", () => {
  it("are asked for one by one, each where it is needed, and none that is there is named", async () => {
    const { kube, asked } = kubeThatAllows(notAdmin);
    const needed = neededRights(settings(), stands);
    const missing = await missingRights(kube, "vault", needed, AbortSignal.any([]));
    assert.deepEqual(rightsInWords(missing, "vault"), []);
    const count = [...needed.namespace, ...needed.cluster].reduce((sum, { verbs }) => sum + verbs.length, 0);
    assert.equal(asked.length, 1 + count);
    assert.ok(
      asked.some(({ resource, subresource }) => resource === "pods" && subresource === "portforward"),
    );
    assert.ok(
      asked.every(
        ({ namespace, resource }) => namespace === "vault" || /^(\*|namespaces|cluster)/.test(resource),
      ),
    );
  });

  it("are asked for once of an administrator", async () => {
    const { kube, asked } = kubeThatAllows(() => true);
    await missingRights(kube, "vault", neededRights(settings(), stands), AbortSignal.any([]));
    assert.equal(asked.length, 1);
  });

  it("are named all at once where they are missing, those of the same verbs together", async () => {
    const may = (asked: Asked) =>
      notAdmin(asked) &&
      !(asked.verb === "delete" && ["pods", "persistentvolumeclaims"].includes(asked.resource));
    assert.deepEqual(await lacking(may), ["pods, persistentvolumeclaims: delete (in namespace vault)"]);
  });

  it("do without deleting the namespace where it is kept, and ask for it where it is not", async () => {
    const may = (asked: Asked) =>
      notAdmin(asked) && !(asked.verb === "delete" && asked.resource === "namespaces");
    assert.deepEqual(await lacking(may), []);
    const gone = neededRights(settings({ "teardown.retainData": "false" }), stands);
    assert.deepEqual(await lacking(may, gone), ["namespaces vault: delete (in the whole cluster)"]);
  });

  it("do without the delegation of tokens where the values turn it off", async () => {
    const may = (asked: Asked) => notAdmin(asked) && !asked.resource.startsWith("cluster");
    assert.equal((await lacking(may)).length, 3);
    assert.deepEqual(await lacking(may, neededRights(settings(), { ...stands, delegates: false })), []);
  });

  it("leave the making of the namespace to whoever grants the rest", () => {
    const needed = neededRights(settings(), { ...stands, namespaceStands: false });
    const creation = /^namespaces\b.*: create/m;
    assert.match(rightsInWords(needed, "vault").join("\n"), creation);
    assert.doesNotMatch(rightsInWords(withoutCreation(needed), "vault").join("\n"), creation);
  });

  it("are granted whole where one is missing: a role takes the place of the one that was applied before", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vault-ha-rights-"));
    const { kube } = kubeThatAllows((asked) => notAdmin(asked) && asked.resource !== "servicemonitors");
    const found = { ...stands, monitors: true };
    const place = { settings: settings(), stack: "prod", stackDir: folder };
    const [problem = ""] = await rightsProblems(kube, place, found, AbortSignal.any([]));
    assert.match(
      problem,
      /lacks these rights:\n {4}- servicemonitors: get, .* delete \(in namespace vault\)\n {4}Some/,
    );
    const text = readFileSync(join(folder, "missing-rights.yaml"), "utf8");
    rmSync(folder, { recursive: true });
    const [role, binding, ...others] = parseAllDocuments(text).map((document) => document.toJS());
    assert.deepEqual(role.rules, neededRights(settings(), found).namespace);
    assert.deepEqual([binding.kind, others], ["RoleBinding", []]);
  });

  it("are granted by the roles that are written down: what is missing, to the login that lacks it, and no more", () => {
    const needed = neededRights(settings(), stands);
    const text = grantingRoles(needed, { namespace: "vault", stack: "prod", login: "jane" });
    const objects = parseAllDocuments(text).map((document) => document.toJS());
    assert.deepEqual(
      objects.map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace]),
      [
        ["Role", "vault-ha-prod", "vault"],
        ["RoleBinding", "vault-ha-prod", "vault"],
        ["ClusterRole", "vault-ha-prod-vault", undefined],
        ["ClusterRoleBinding", "vault-ha-prod-vault", undefined],
      ],
    );
    assert.deepEqual(objects[0].rules, needed.namespace);
    assert.deepEqual(objects[2].rules, needed.cluster);
    for (const { subjects } of [objects[1], objects[3]]) assert.equal(subjects[0].name, "jane");
  });
});
