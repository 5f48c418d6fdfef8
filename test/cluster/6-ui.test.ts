import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openVault } from "../../operate/open-vault.ts";
import { openTour } from "../../operate/tour/open-tour.ts";
import { clientOf, ways } from "../../operate/tour/place.ts";
import { local } from "../../setup/folders.ts";
import { loadSources } from "../../sources.ts";
import { HttpClient } from "../../steps/lib/http.ts";
import { TestBrowser } from "../support/browser.ts";
import { itWhere } from "../support/left-out.ts";
import { minutes, pods, sharedStack } from "../support/shared-stack.ts";

/** What answers at /ui/: the UI itself, or Vault's own word that this binary has none. */
const page =
  loadSources().images === "closed"
    ? /<h1>Vault UI is not available in this binary\.<\/h1>/
    : /<title>Vault<\/title>/;

describe("the UI, on a real cluster", function () {
  this.timeout(2 * minutes);
  type Shared = Awaited<ReturnType<typeof sharedStack>>;
  let shared: Shared;
  before(async () => {
    shared = await sharedStack();
  });

  const get = async (http: HttpClient) => {
    const signal = AbortSignal.timeout(20_000);
    const call = { method: "GET", path: "/ui/", timeoutMs: 20_000, signal } as const;
    return await http.call(call).finally(() => http.close());
  };

  for (const through of ways)
    it(`answers at /ui/ through the ${through}`, async () => {
      const { toured } = await openTour(shared.test.name, through);
      const { status, body } = await get(clientOf(toured.place));
      assert.equal(status, 200);
      assert.match(body, page);
    });

  it("is a service of its own: a NodePort, 30000, that leads to the port of Vault's API in every pod", async () => {
    const { spec } = await shared.tools.object("service", "vault-ui");
    const { target } = await openVault(shared.test.name);
    assert.equal(spec?.type, "NodePort");
    assert.deepEqual(spec?.ports, [
      { name: target.scheme, nodePort: 30_000, port: 8200, protocol: "TCP", targetPort: 8200 },
    ]);
    const selector = Object.entries(spec?.selector ?? {}).map(([key, value]) => `${key}=${value}`);
    const chosen = await shared.tools.kubectl(
      "get",
      "pods",
      "--selector",
      selector.join(),
      "--output",
      "name",
    );
    assert.deepEqual(
      chosen.split("\n").sort(),
      pods.map((pod) => `pod/${pod}`),
    );
  });

  for (const pod of pods)
    it(`is turned on in what ${pod} runs with, and answers there`, async () => {
      const command = await shared.tools.kubectl("exec", pod, "--", "cat", "/proc/1/cmdline");
      const file = /-config=([^\0]+)/.exec(command)?.[1] ?? "";
      assert.match(await shared.tools.kubectl("exec", pod, "--", "cat", file), /^ *ui *= *true$/m);
      const { road } = await openVault(shared.test.name);
      const signal = AbortSignal.timeout(20_000);
      const { status, body } = await get(new HttpClient(road.host(pod), () => road.connect(pod, signal)));
      assert.equal(status, 200);
      assert.match(body, page);
    });

  for (const through of ways)
    itWhere("(with Vault's own UI)")(
      `signs in with the root token in a browser, through the ${through} (with Vault's own UI)`,
      async () => {
        const { toured } = await openTour(shared.test.name, through);
        const { address, caFile } = toured.place;
        const browser = await TestBrowser.open(caFile);
        const folder = join(local.root, "screenshots");
        try {
          await browser.page.goto(`${address}/ui/`);
          await browser.page.locator('input[name="token"]').fill(toured.token);
          await browser.page.locator('form button[type="submit"]').click();
          await browser.page.waitForURL("**/ui/vault/dashboard");
          // Only a token that may see the engines is shown this one of them.
          await browser.page.getByText("cubbyhole/").first().waitFor();
        } finally {
          mkdirSync(folder, { recursive: true, mode: 0o700 });
          // Also of what there was to see where it failed. The token's field shows dots.
          const path = join(folder, `vault-ui-${through}.png`);
          await browser.page.screenshot({ path }).finally(() => browser.close());
        }
      },
    );
});
