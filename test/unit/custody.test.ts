import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadHolders } from "../../components/holders.ts";
import { readSettings } from "../../config.ts";
import { answerDrill, beginDrill } from "../../operate/custody/drill.ts";
import { handOut } from "../../operate/custody/hand-out.ts";
import { heldByPeople, refuseWithoutShares } from "../../operate/custody/held.ts";
import { custodyOf, everyHolder, readRecord, writeRecord } from "../../operate/custody/record.ts";
import { unseals } from "../../operate/preview/rules/nodes.ts";
import { heldKeys, heldToken } from "../../operate/rotation/rotating.ts";
import { journalView } from "../../operate/views/journal-view.ts";
import { removeFiles } from "../../steps/lib/cluster.ts";
import type { Holder } from "../../steps/lib/holder.ts";
import { type Keys, keysPath, type PgpAnswer, writeKeys } from "../../steps/lib/keys-file.ts";
import { encryptFor, readHolder } from "../../steps/lib/pgp.ts";
import { holderFiles, makePerson, type Person, someMessage } from "../support/pgp-holders.ts";
import { change, plan, running } from "../support/plans.ts";
import { isSecret, runProgram } from "../support/program.ts";

const day = 86_400_000;
const pgpConfig = { "custody.mode": "pgp", "custody.holders": "a,b,c,d,e", "custody.rootHolder": "r" };

describe("people who hold the shares", function () {
  this.timeout(60_000);
  let folder: string;
  let ada: Person;
  let ben: Person;
  before(async () => {
    [ada, ben] = await Promise.all([makePerson("Ada"), makePerson("Ben", { type: "curve25519" })]);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-custody-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const encrypted = async ({ holder }: Person, text: string) => {
    const message = await encryptFor(holder, text);
    const lines = message.split("\n").slice(2, -3).join("");
    return { holder, encrypted: Buffer.from(lines, "base64").toString("base64") };
  };
  const pgpOf = async (shares: Person[], root: Person): Promise<PgpAnswer> => ({
    shares: await Promise.all(shares.map((person, at) => encrypted(person, `share ${at}`))),
    rootToken: await encrypted(root, "hvs.root"),
    initialisedAt: "2026-11-30T00:00:00.000Z",
  });
  const journal = async (more: Partial<Keys>) => {
    const keys: Keys = {
      ...{ version: 1, stack: "dev", pod: "vault-0", intendedAt: "2026-11-30T00:00:00.000Z", threshold: 2 },
      ...more,
    };
    await writeKeys(folder, keys);
    return keys;
  };

  describe("as settings", () => {
    it("are the stack itself unless it is told, and then one key a share and one for the root token", () => {
      assert.deepEqual(readSettings({}).settings?.custody, { mode: "stack" });
      assert.deepEqual(readSettings({ ...pgpConfig, "custody.holders": "a, b,c,d ,e" }).settings?.custody, {
        ...{ mode: "pgp", holders: ["a", "b", "c", "d", "e"], rootHolder: "r" },
      });
    });

    it("have each problem told: what the mode wants and does not use, and another number than shares", () => {
      assert.deepEqual(readSettings({ "custody.mode": "pgp" }).problems, [
        "custody.holders: the mode pgp (custody.mode) needs it.\n    pulumi config set custody.holders <value>",
        "custody.rootHolder: the mode pgp (custody.mode) needs it.\n    pulumi config set custody.rootHolder <value>",
      ]);
      assert.deepEqual(readSettings({ "custody.rootHolder": "r" }).problems, [
        "custody.rootHolder: the mode stack (custody.mode) does not use it.\n    pulumi config rm custody.rootHolder",
      ]);
      assert.deepEqual(readSettings({ ...pgpConfig, "custody.holders": "a,b,c" }).problems, [
        "custody.holders: 3 keys for 5 shares (vault.shares); each share goes to one holder.\n    pulumi config set vault.shares 3",
      ]);
      assert.match(
        readSettings({ ...pgpConfig, "custody.holders": "a,,c" }).problems.join(),
        /paths of public keys/,
      );
    });

    it("are not taken beside a seal, with which no share unseals anything", () => {
      const seal = {
        "vault.seal.type": "awskms",
        "vault.seal.region": "a",
        "vault.seal.kms_key_id": "alias/a",
      };
      const { problems } = readSettings({ ...pgpConfig, ...seal });
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(
        problems[0] ?? "",
        /^custody\.mode: with a seal .*\n +pulumi config set custody\.mode stack$/,
      );
    });
  });

  describe("by their keys", () => {
    const load = (holders: string[], rootHolder: string) =>
      loadHolders({ custody: { mode: "pgp", holders, rootHolder } }, folder);

    it("are known by fingerprint and name, from an armored file or a binary one", async () => {
      const binary = Buffer.from(ben.privateKey.toPublic().write());
      const found = await load(
        [file("ada.asc", ada.publicKey), file("ben.gpg", binary)],
        file("r.asc", ada.publicKey),
      );
      assert.deepEqual(found, { shares: [ada.holder, ben.holder], rootToken: ada.holder });
      assert.equal(ada.holder.name, "Ada <ada@example.org>");
      assert.match(ada.holder.fingerprint, /^[0-9A-F]{40}$/);
    });

    it("are refused with every problem at once, before anything is made", async () => {
      const expired = await makePerson("Old", { date: new Date(Date.now() - 10 * day), expires: 5 * 86_400 });
      const signs = await makePerson("Signs", { signsOnly: true });
      const files = [
        file("expired.asc", expired.publicKey),
        file("private.asc", ada.privateKey.armor()),
        file("signs.asc", signs.publicKey),
        file("message.asc", await someMessage(ada)),
        file("text.asc", "no key at all"),
        file(
          "two.asc",
          Buffer.concat([ada, ben].map(({ privateKey }) => Buffer.from(privateKey.toPublic().write()))),
        ),
        file("ben.asc", ben.publicKey),
        file("again.asc", ben.publicKey),
        file("revoked.asc", await revoked()),
      ];
      const error = await load(files, join(folder, "none.asc")).then(
        () => assert.fail("nothing was refused"),
        (error) => error as Error,
      );
      const lines = error.message.split("\n  ");
      assert.equal(lines[0], "9 things are wrong with the holders of the shares; nothing was changed.");
      for (const [name, words] of [
        ["expired.asc", /holds a key that has expired on \d{4}-/],
        ["private.asc", /holds a private key, which nobody but its holder may have/],
        ["signs.asc", /holds a key to which nothing can be encrypted/],
        ["message.asc", /holds a message, not a public key/],
        ["text.asc", /is no OpenPGP key|holds no OpenPGP key/],
        ["two.asc", /holds 2 keys, and has to hold one/],
        ["again.asc", /is the same key as .*ben\.asc.*two shares is worth two people/],
        ["revoked.asc", /holds a key that was revoked/],
        ["none.asc", /custody\.rootHolder: .* cannot be read: ENOENT/],
      ] as const) {
        const line =
          lines.find((each) => each.includes(`/${name}" `)) ?? `${name} is not named: ${error.message}`;
        assert.match(line, words);
      }
      assert.ok(!error.message.includes("PRIVATE KEY"));
    });

    const revoked = async () => {
      const { reformatKey: _, revokeKey } = await import("openpgp");
      const someone = await makePerson("Revoked");
      const { publicKey } = await revokeKey({
        ...{
          key: someone.privateKey.toPublic(),
          revocationCertificate: someone.revocation,
          format: "object",
        },
      });
      return publicKey.armor();
    };

    it("stay the holders of the initialisation: a key that has expired since refuses no update", async () => {
      const pgp = await pgpOf([ada, ben], ada);
      await journal({ pgp });
      assert.deepEqual(await load([join(folder, "gone.asc")], "gone.asc"), {
        shares: [ada.holder, ben.holder],
        rootToken: ada.holder,
      });
    });

    it("are asked for at the initialisation only: a stack that has its shares, or has none, keeps to that", async () => {
      const answer = { shares: ["a"], rootToken: "t", initialisedAt: "2026-11-30T00:00:00.000Z" };
      await journal({ answer });
      await assert.rejects(
        load([], ""),
        /has its shares itself since it was initialised[\s\S]*custody\.mode stack/,
      );
      await journal({ pgp: await pgpOf([ada], ben) });
      await assert.rejects(
        loadHolders({ custody: { mode: "stack" } }, folder),
        /in people's hands, and it has none of its own\.\n {4}pulumi config set custody\.mode pgp/,
      );
    });

    it("can be encrypted to after they have expired, since what they hold does not end then", async () => {
      const at = new Date(Date.now() - 10 * day);
      const person = await makePerson("Old", { date: at, expires: 5 * 86_400 });
      const { holder } = await readHolder(Buffer.from(person.publicKey), new Date(at.getTime() + day));
      assert.equal(await person.decrypt(await encryptFor(holder as Holder, "still here")), "still here");
    });
  });

  it("have the program declare init with their keys, and the token of the stack before any node joins", async () => {
    const { config, folder: keys, people } = await holderFiles(5);
    try {
      const resources = await runProgram({ config });
      const names = [...resources.keys()].filter((name) => name.startsWith("lifecycle-"));
      assert.ok(names.includes("lifecycle-token"));
      const token = resources.get("lifecycle-token");
      assert.ok(token?.dependsOn.includes("lifecycle-unseal-vault-0"));
      assert.ok(resources.get("lifecycle-join-vault-1")?.dependsOn.includes("lifecycle-token"));
      // What it has answered stays in the state: no setting makes it run again.
      assert.deepEqual(token?.ignoreChanges, ["stdin", "update", "environment"]);
      const input = resources.get("lifecycle-init-vault-0")?.inputs.stdin;
      assert.ok(isSecret(input));
      for (const { holder } of people) assert.ok(JSON.stringify(input).includes(holder.fingerprint));
      assert.match(
        JSON.stringify(resources.get("lifecycle-unseal-vault-0")?.inputs.stdin),
        /byHolders\\":true/,
      );
      assert.match(JSON.stringify(resources.get("lifecycle-rollout")?.inputs.stdin), /byHolders\\":true/);
      assert.doesNotMatch(
        JSON.stringify((await runProgram()).get("lifecycle-rollout")?.inputs.stdin),
        /byHolders/,
      );
    } finally {
      rmSync(keys, { recursive: true });
    }
  });

  it("are told to unseal by the preview", () => {
    const changes = [change("update", "lifecycle-unseal-vault-1", { differing: ["environment.CONTAINER"] })];
    const nodes = running.nodes.map((node) => ({ ...node, sealed: node.name === "vault-1" }));
    const says = unseals(plan({ changes, running: { ...running, nodes }, config: pgpConfig }))[0]?.says;
    assert.equal(
      says,
      "vault-1 waits for the holders of the shares to unseal it (npm run unseal -- --stack prod).",
    );
  });

  it("are given what each alone can read, in a folder of their own, with the authority of Vault's certificate", async () => {
    const pgp = await pgpOf([ada, ben], ada);
    file("vault-ca.crt", "an authority");
    const written = await handOut(pgp, everyHolder(pgp), folder);
    assert.deepEqual(
      written.map(({ files }) => files.map((path) => path.split("/").slice(-1)[0])),
      [
        ["share.asc", "root-token.asc", "vault-ca.crt"],
        ["share.asc", "vault-ca.crt"],
      ],
    );
    const [share = "", root = ""] = written[0]?.files ?? [];
    assert.equal(await ada.decrypt(readFileSync(share, "utf8")), "share 0");
    assert.equal(await ada.decrypt(readFileSync(root, "utf8")), "hvs.root");
    await assert.rejects(ben.decrypt(readFileSync(share, "utf8")));
    assert.equal(statSync(share).mode & 0o777, 0o600);
    // They go with the cluster, as the journal does.
    await journal({ pgp });
    assert.deepEqual(await removeFiles(folder), []);
  });

  describe("in a drill", () => {
    const read = async (person: Person, files: { fingerprint: string; file?: string }[]) => {
      const found = files.find(({ fingerprint }) => fingerprint === person.holder.fingerprint);
      return await person.decrypt(readFileSync(found?.file ?? "", "utf8"));
    };

    it("prove that they can still decrypt, each once, and status counts who did within 90 days", async () => {
      const pgp = await pgpOf([ada, ben], ada);
      await journal({ pgp });
      const begun = await beginDrill(pgp, folder);
      assert.equal(begun.length, 2);
      const answer = await read(ada, begun);
      assert.match(answer, /^drill\.[\w-]{32}$/);
      assert.ok(!readFileSync(join(folder, "custody/drill.json"), "utf8").includes(answer));
      const first = await answerDrill([answer], pgp, folder);
      assert.deepEqual(
        [first.proved, first.waiting].map((all) => all.map(({ name }) => name)),
        [["Ada <ada@example.org>"], ["Ben <ben@example.org>"]],
      );
      assert.equal((await journalView(folder))?.holders?.proved, 1);
      await assert.rejects(answerDrill([answer], pgp, folder), /line 1 answers no challenge that is open/);
      assert.deepEqual((await answerDrill([await read(ben, begun)], pgp, folder)).waiting, []);
      const record = await readRecord(folder);
      const later = new Date(Date.now() + 91 * day);
      assert.deepEqual([custodyOf(pgp, record).proved, custodyOf(pgp, record, later).proved], [2, 0]);
      assert.equal(custodyOf(pgp, record).holders[0]?.rootToken, true);
    });

    it("count what is right beside what is wrong, and quote neither", async () => {
      const pgp = await pgpOf([ada, ben], ada);
      const begun = await beginDrill(pgp, folder);
      const right = await read(ada, begun);
      const error = await answerDrill([right, "a share by mistake"], pgp, folder).catch(
        (error) => error as Error,
      );
      assert.match(String(error), /Proved: Ada .*\n {2}line 2 is no answer to a drill/);
      assert.ok(!String(error).includes("by mistake") && !String(error).includes(right));
      assert.equal(custodyOf(pgp, await readRecord(folder)).proved, 1);
    });

    it("begin anew with another one, after which answers to the one of before count no more", async () => {
      const pgp = await pgpOf([ada], ben);
      const former = await read(ada, await beginDrill(pgp, folder));
      await beginDrill(pgp, folder);
      await assert.rejects(answerDrill([former], pgp, folder), /of a former drill/);
    });

    it("are asked again where the record cannot be read", async () => {
      mkdirSync(join(folder, "custody"));
      writeFileSync(join(folder, "custody/drill.json"), "{");
      assert.deepEqual(await readRecord(folder), { version: 1, open: {}, proved: {} });
      await writeRecord(folder, { version: 1, open: {}, proved: { x: "2026-11-30T00:00:00.000Z" } });
      assert.deepEqual(Object.keys((await readRecord(folder)).proved), ["x"]);
    });
  });

  describe("are the reason why", () => {
    it("a change of keys and what else wants shares is refused in one sentence, with what to do", async () => {
      await journal({ pgp: await pgpOf([ada], ben) });
      const stack = { stack: "dev", stackDir: folder };
      const refused = /wants the key shares, and they are in people's hands.*Nothing was changed\.\nNext: \S/;
      await assert.rejects(heldKeys(stack), refused);
      await assert.rejects(heldToken(stack), refused);
      assert.throws(() => refuseWithoutShares({ byHolders: true }, "A restore", "ask them"), refused);
      refuseWithoutShares(undefined, "A restore", "ask them");
      await journal({ pgp: await pgpOf([ada], ben), token: "hvs.limited" });
      assert.equal(await heldToken(stack), "hvs.limited");
    });

    it("nothing is handed out of a stack that has its shares itself, or none yet", async () => {
      await assert.rejects(heldByPeople("dev", folder), new RegExp(`no journal .* ${keysPath(folder)}`));
      const answer = { shares: ["a"], rootToken: "t", initialisedAt: "2026-11-30T00:00:00.000Z" };
      await journal({ answer });
      await assert.rejects(heldByPeople("dev", folder), /holds its shares itself .*\nNext: npm run up/);
    });
  });
});
