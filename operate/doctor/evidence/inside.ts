import { execa } from "execa";
import { auditFolder } from "../../../components/vault-rules.ts";
import type { Environment } from "../../../setup/environment.ts";

/** What a command said and how it ended. */
export interface Said {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The inside of the nodes: where Vault runs, with its disk and its view of the network. */
export interface Inside {
  /** Runs a command beside a node's Vault. Throws where it could not be run at all. */
  run(node: string, command: string[], signal: AbortSignal): Promise<Said>;
  /** The folder of Vault's data in there. */
  dataFolder(node: string): string;
  /** The folder of its audit log. */
  auditFolder(node: string): string;
  /** The last lines that Vault wrote; `previous`: those of the container before. */
  log(node: string, previous: boolean, signal: AbortSignal): Promise<string>;
}

/** How many lines of a log are read; most of them may be about nothing. */
const logLines = 60;

/** Goes in with kubectl. */
export function insideByKubectl(env: Environment, kubeconfig: string, namespace: string): Inside {
  const kubectl = async (args: string[], cancelSignal: AbortSignal) =>
    await execa("kubectl", ["--kubeconfig", kubeconfig, "--namespace", namespace, ...args], {
      env,
      cancelSignal,
      reject: false,
      stdin: "ignore",
    });
  return {
    dataFolder: () => "/vault/data",
    auditFolder: () => auditFolder,
    run: async (node, command, signal) => {
      const exec = ["exec", node, "--container", "vault", "--", ...command];
      const { exitCode, stdout, stderr } = await kubectl(exec, signal);
      // kubectl's own words, where the command did not begin.
      if (exitCode === undefined || /^(error|Error from server)[ :]/m.test(stderr)) throw new Error(stderr);
      return { exitCode, stdout, stderr };
    },
    log: async (node, previous, signal) => {
      const which = previous ? ["--previous"] : [];
      const { stdout, stderr, failed } = await kubectl(
        ["logs", node, "--container", "vault", `--tail=${logLines}`, ...which],
        signal,
      );
      if (failed) throw new Error(stderr);
      return stdout;
    },
  };
}
