import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import type { Told } from "../../operate/tour/take-step.ts";
import { headText } from "../../operate/tour/text.ts";
import { RaftConfiguration } from "../../steps/lib/vault-answers.ts";
import { type Held, type Taken, TouredVault } from "../support/toured.ts";

for (const scheme of ["http", "https"] as const)
  describe(`a tour of a real Vault over ${scheme}`, function () {
    this.timeout(60_000);
    let vault: TouredVault;
    let atFirst: Held;
    let taken: Taken;
    const answerOf = (name: string) => taken.told.find((step) => step.name === name)?.answer;

    before(async () => {
      vault = await TouredVault.start(scheme);
      atFirst = await vault.held();
      taken = await vault.take();
    });
    after(async function () {
      await vault?.end(this);
    });

    it("gets the expected answer to every step, among them a refusal", () => {
      assert.equal(taken.error, undefined);
      assert.deepEqual(
        taken.told.map(({ name, status }) => `${name} ${status}`),
        [
          "health 200",
          "seal status 200",
          "sign in 200",
          "enable kv 204",
          "write 200",
          "write again 200",
          "read 200",
          "read a version back 200",
          "write a policy 204",
          "make a token 200",
          "read with that token 200",
          "write with that token 403",
          "wrap 200",
          "unwrap 200",
          "enable transit 204",
          "make a key 200",
          "encrypt 200",
          "decrypt 200",
          "list peers 200",
          "revoke the token 204",
          "delete the policy 204",
          "disable kv 204",
          "disable transit 204",
        ],
      );
    });

    it("shows what came back, with masks where it is secret", () => {
      const secret = (version: number) => ({ user: "ada", password: "********", version });
      const shown = (name: string) => {
        const { data } = answerOf(name) as { data: { data: object; metadata: { version: number } } };
        return { ...data.data, version: data.metadata.version };
      };
      assert.deepEqual(shown("read"), secret(2));
      assert.deepEqual(shown("read a version back"), secret(1));
      assert.deepEqual(shown("read with that token"), secret(2));
      assert.deepEqual(shown("unwrap"), secret(2));
      assert.match(JSON.stringify(answerOf("sign in")), /"id":"\*{8}","display_name":"root"/);
      assert.match(JSON.stringify(answerOf("make a token")), /"client_token":"\*{8}",.*"tour-reader-/);
      assert.match(JSON.stringify(answerOf("wrap")), /"token":"\*{8}","ttl":60,/);
      assert.match(JSON.stringify(answerOf("write with that token")), /permission denied/);
      assert.match(JSON.stringify(answerOf("encrypt")), /"ciphertext":"vault:v1:/);
      assert.deepEqual(answerOf("decrypt"), { data: { plaintext: "********" } });
      const [peer, ...others] = RaftConfiguration.parse(answerOf("list peers")).data.config.servers;
      assert.deepEqual(others, []);
      assert.deepEqual([peer?.node_id, peer?.leader, peer?.voter], ["vault-0", true, true]);
    });

    it("leaves no mount, no policy and no token behind", async () => {
      assert.deepEqual(await vault.held(), atFirst);
      assert.deepEqual(taken.said, []);
    });

    /** Types a line of each step into one shell. Gives each one's output, and the values that it used. */
    const typed = async (line: (step: Told) => string, { told } = taken, { place, token } = vault.toured) => {
      const { folder } = vault.stack.nodes;
      const out = join(folder, "typed");
      mkdirSync(out, { recursive: true });
      const prepared = headText("dev", place)
        .split("\n")
        .filter((text) => /^ {2}(SECRET|PLAINTEXT)=/.test(text));
      const script = [
        ...prepared,
        `printf '["%s","%s","%s"]' "$SECRET" "$NEW_SECRET" "$PLAINTEXT" > ${out}/values`,
        ...told.map(
          (step, at) => `{ ${line(step)}; } > ${out}/${at}${step.status === 403 ? ' || [ "$?" = 2 ]' : ""}`,
        ),
      ];
      const ran = await execa("bash", ["-euo", "pipefail"], {
        input: script.join("\n"),
        all: true,
        reject: false,
        env: {
          PATH: `${join(import.meta.dirname, "../support/by-hand-bin")}${delimiter}${process.env.PATH}`,
          HOME: folder,
          VAULT_ADDR: place.address,
          VAULT_TOKEN: token,
          ...(place.caFile && { VAULT_CACERT: place.caFile }),
        },
      });
      assert.equal(ran.exitCode, 0, ran.all);
      const read = (name: string | number) => readFileSync(join(out, String(name)), "utf8");
      const [secret, newSecret, plaintext] = JSON.parse(read("values")) as [string, string, string];
      const came = (name: string) => read(told.findIndex((step) => step.name === name));
      return { came, secret, newSecret, plaintext };
    };

    it("shows curl lines that do the same when they are typed", async () => {
      const { came, secret, newSecret, plaintext } = await typed(({ curl }) => curl);
      for (const { name, curl, status, answer } of taken.told) {
        const kept = /^[A-Z_]+=/.test(curl);
        if (answer === null || kept) assert.equal(came(name), "", name);
        else assert.equal("errors" in JSON.parse(came(name)), status === 403, `${name}: ${came(name)}`);
      }
      for (const name of ["read", "read with that token", "unwrap"])
        assert.equal(JSON.parse(came(name)).data.data.password, newSecret, name);
      assert.equal(JSON.parse(came("read a version back")).data.data.password, secret);
      assert.equal(JSON.parse(came("decrypt")).data.plaintext, plaintext);
      assert.deepEqual(await vault.held(), atFirst);
    });

    for (const host of ["vault.localhost", "vault.example.test"])
      it(`goes to ${host} on this machine, whatever a name server says of it, and so do its curl lines`, async () => {
        const place = { ...vault.toured.place };
        place.address = place.address.replace("localhost", host);
        const toured = { ...vault.toured, place };
        const elsewhere = await vault.take(toured);
        assert.equal(elsewhere.error, undefined);
        const { came, newSecret } = await typed(({ curl }) => curl, elsewhere, toured);
        assert.equal(JSON.parse(came("unwrap")).data.data.password, newSecret);
        assert.deepEqual(await vault.held(), atFirst);
      });

    it("shows vault lines that do the same when they are typed", async () => {
      const { came, secret, newSecret, plaintext } = await typed(({ cli }) => cli);
      for (const name of ["read", "read with that token", "unwrap"])
        assert.ok(came(name).includes(newSecret), `${name}: ${came(name)}`);
      assert.ok(came("read a version back").includes(secret));
      assert.ok(came("decrypt").includes(plaintext));
      assert.match(came("health"), /initialized +true/);
      assert.match(came("seal status"), /Sealed +false/);
      assert.equal(came("sign in"), "[root]");
      assert.match(came("list peers"), /vault-0 .*leader +true/);
      assert.deepEqual(await vault.held(), atFirst);
    });
  });
