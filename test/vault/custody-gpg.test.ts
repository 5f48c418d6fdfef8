import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { answerDrill, beginDrill } from "../../operate/custody/drill.ts";
import { handOut } from "../../operate/custody/hand-out.ts";
import { heldByPeople } from "../../operate/custody/held.ts";
import { everyHolder } from "../../operate/custody/record.ts";
import { Giving } from "../../operate/unseal/give.ts";
import { readHolder } from "../../steps/lib/pgp.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { itWhere } from "../support/left-out.ts";
import { VaultStack } from "../support/vault-stack.ts";

/** What docs/custody.md has a holder type, on the gpg of this machine. */
describe("a holder who has gpg", function () {
  this.timeout(60_000);
  let home: string;
  let stack: VaultStack | undefined;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "vault-ha-gpg-"));
  });
  after(async function () {
    await execa("gpgconf", ["--kill", "all"], { env: { GNUPGHOME: home }, reject: false });
    await rm(home, { recursive: true, force: true });
    await stack?.end(this);
  });

  const gpg = (args: string[], cwd = home) =>
    execa("gpg", ["--batch", "--passphrase", "", ...args], { env: { GNUPGHOME: home }, cwd });

  itWhere("(with gpg)")(
    "makes a key, decrypts share, root token and challenge with it, and unseals (with gpg)",
    async () => {
      await gpg(["--quick-generate-key", "Olga <olga@example.org>", "default", "default", "2y"]);
      const { stdout: exported } = await gpg(["--export", "--armor", "olga@example.org"]);
      const { holder, problems } = await readHolder(Buffer.from(exported));
      assert.deepEqual(problems, []);
      const { stdout: shown } = await gpg(["--fingerprint", "olga@example.org"]);
      assert.ok(shown.replaceAll(" ", "").includes(holder?.fingerprint ?? "-"), shown);

      stack = await VaultStack.start(1);
      const ran = await stack.init({
        ...{ shares: 1, threshold: 1 },
        holders: { shares: [holder], rootToken: holder },
      });
      assert.equal(ran.code, 0, ran.stderr);
      const { pgp } = await heldByPeople("dev", stack.stackDir);
      const [files] = await handOut(pgp, everyHolder(pgp), stack.stackDir);
      const folder = dirname(files?.files[0] ?? "");
      const share = (await gpg(["--decrypt", "share.asc"], folder)).stdout.trim();
      const waiting = { say: () => {}, signal: AbortSignal.timeout(30_000) };
      const vault = new Vault(await openRoad(Target.parse(stack.target())), "vault-0", waiting);
      const giving = new Giving([vault], waiting);
      giving.take(share);
      assert.deepEqual(await giving.round(), [{ node: "vault-0", came: "unsealed" }]);

      const token = (await gpg(["--decrypt", "root-token.asc"], folder)).stdout.trim();
      const { data } = await stack.nodes.at(0).get("auth/token/lookup-self", token);
      assert.deepEqual((data as { policies: string[] }).policies, ["root"]);

      await beginDrill(pgp, stack.stackDir);
      const answer = (await gpg(["--decrypt", "drill.asc"], folder)).stdout;
      assert.equal((await answerDrill(answer.split("\n"), pgp, stack.stackDir)).proved.length, 1);
    },
  );
});
