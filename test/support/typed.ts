/** Documented commands, typed into a shell on a stack of the tests. */
import { randomUUID } from "node:crypto";
import { delimiter } from "node:path";
import { execa } from "execa";
import { checkout } from "../../setup/folders.ts";
import type { TestStack } from "./test-stack.ts";

/** What a typed line gave. */
export interface Printed {
  code: number;
  stdout: string;
  stderr: string;
}

/** A command as asOfAnyStack() gives it, for a stack whose Vault speaks HTTPS in dev's place. */
export function forStack(command: string, { name, ports }: TestStack): string {
  const own = command
    .replaceAll("<stack>", name)
    .replaceAll("http://localhost:30000", `https://localhost:${ports.vault}`)
    .replaceAll(":8080", `:${ports.http}`)
    .replaceAll(":8443", `:${ports.https}`)
    .replaceAll(/\bpulumi (config set|config rm|stack output|preview|up)\b/g, `pulumi $1 --stack ${name}`);
  if (!/^npm run (?!-s env)/.test(own)) return own;
  // Flags stand behind " -- ", and before the next program.
  const [, npm = "", flags = "", next = ""] = /^(.*?)(?: -- (.*?))?( \|.*)?$/.exec(own) ?? [];
  return `${npm} -- --stack ${name} ${flags}${next}`;
}

/** The environment of somebody who has typed nothing yet: without what names a folder of this checkout. */
export function plainEnvironment(given: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const folders = (given.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(checkout));
  const others = Object.entries(given).filter(([, value = ""]) => !value.includes(checkout));
  return { ...Object.fromEntries(others), PATH: folders.join(delimiter) };
}

/** Types lines into one bash, one after another, whatever each ends with; gives what each printed, in their order. */
export async function type(lines: string[], env: NodeJS.ProcessEnv): Promise<Printed[]> {
  const mark = `typed-${randomUUID()}`;
  const ends = lines.map(
    (line) => `${line}\nended=$?; printf '\\n${mark} %d\\n' $ended; printf '\\n${mark}\\n' >&2`,
  );
  const options = { cwd: checkout, env, extendEnv: false, stdin: "ignore", reject: false } as const;
  const { stdout, stderr } = await execa("bash", ["-o", "pipefail", "-c", ends.join("\n")], options);
  const parts = (text: string) => text.split(new RegExp(`\\n?${mark}(?: (\\d+))?\\n?`));
  const [out, err] = [parts(stdout), parts(stderr)];
  return lines.map((_, at) => ({
    code: Number(out[2 * at + 1]),
    stdout: out[2 * at]?.trim() ?? "",
    stderr: err[2 * at]?.trim() ?? "",
  }));
}
