/** A real browser without a window, for tests of the UI. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type Browser, chromium, type Page } from "playwright-core";
import { findProgram } from "../../setup/find-program.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const install = "apt-get install chromium libnss3-tools";

/** A page of this machine's Chromium, which trusts one authority besides those that it comes with. */
export class TestBrowser {
  readonly page: Page;
  readonly #browser: Browser;
  readonly #home: string;

  private constructor(page: Page, browser: Browser, home: string) {
    this.page = page;
    this.#browser = browser;
    this.#home = home;
  }

  /**
   * @param caFile PEM file of the authority that is trusted as well
   * @throws Error that says what to install, where it is not there
   */
  static async open(caFile?: string): Promise<TestBrowser> {
    const executablePath = names.map((name) => findProgram(name)).find((found) => found !== undefined);
    if (executablePath === undefined)
      throw new Error(`No Chromium is on PATH (looked for ${names.join(", ")}). Next: ${install}`);
    const home = await mkdtemp(join(tmpdir(), "vault-ha-test-"));
    try {
      if (caFile !== undefined) await trust(home, caFile);
      const browser = await chromium.launch({ executablePath, env: { ...process.env, HOME: home } });
      const page = await browser.newPage();
      return new TestBrowser(page, browser, home);
    } catch (error) {
      await rm(home, { recursive: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Puts an authority into the store from which Chromium on Linux takes its user's own. */
async function trust(home: string, caFile: string): Promise<void> {
  if (!existsSync(caFile)) throw new Error(`there is no ${caFile}`);
  if (findProgram("certutil") === undefined)
    throw new Error(`certutil, by which Chromium learns of an authority, is not on PATH. Next: ${install}`);
  const store = join(home, ".pki/nssdb");
  await mkdir(store, { recursive: true });
  await execa("certutil", ["-d", `sql:${store}`, "-N", "--empty-password"]);
  await execa("certutil", ["-d", `sql:${store}`, "-A", "-n", "vault", "-t", "C,,", "-i", caFile]);
}
