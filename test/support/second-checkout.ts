/** A checkout beside this one, as CI makes it: the code, the tools, and of a stack what comes from secrets. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { checkout, local } from "../../setup/folders.ts";

export class SecondCheckout {
  readonly folder = mkdtempSync(join(tmpdir(), "vault-ha-branch-"));
  readonly #stack: string;

  private constructor(stack: string) {
    this.#stack = stack;
  }

  /** What git has, and would have, of this checkout; the stack's settings; and its kubeconfig, as a login's own. */
  static async of(stack: string): Promise<SecondCheckout> {
    const made = new SecondCheckout(stack);
    const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
      cwd: checkout,
    });
    // A file that is deleted, and not yet committed so, is listed all the same.
    const code = stdout.split("\n").filter((file) => existsSync(join(checkout, file)));
    for (const file of [...code, `Pulumi.${stack}.yaml`, `.local/stacks/${stack}/kubeconfig`]) {
      const to = join(made.folder, file);
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(join(checkout, file), to);
    }
    for (const file of [local.tools, local.sources]) cpSync(file, file.replace(checkout, made.folder));
    // Charts that the set-up has unpacked, where sources.json names them.
    const charts = join(local.root, "charts");
    if (existsSync(charts)) symlinkSync(charts, charts.replace(checkout, made.folder));
    symlinkSync(local.bin, local.bin.replace(checkout, made.folder));
    symlinkSync(join(checkout, "node_modules"), join(made.folder, "node_modules"));
    return made;
  }

  /** Runs one of commands/ there, with the backend and the passphrase in the environment. */
  async run(command: string, ...args: string[]) {
    const { VAULT_HA_CHECKOUT: _, PULUMI_CONFIG_PASSPHRASE_FILE: __, ...env } = process.env;
    return await execa(process.execPath, [`commands/${command}.ts`, "--stack", this.#stack, ...args], {
      cwd: this.folder,
      reject: false,
      stdin: "ignore",
      extendEnv: false,
      env: {
        ...env,
        PULUMI_BACKEND_URL: `file://${local.state}`,
        PULUMI_CONFIG_PASSPHRASE: readFileSync(local.passphrase, "utf8").trim(),
        PULUMI_HOME: local.pulumiHome,
      },
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
