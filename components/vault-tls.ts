/** The certificate that Vault shows, as a Secret in its namespace: made here, brought in files, or somebody else's. */
import { mkdirSync, writeFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import type { TlsSettings } from "../settings/choices.ts";
import {
  certificateDays,
  dayMs,
  fingerprintOf,
  namesNeeded,
  renewDays,
  serverNames,
} from "../steps/lib/certificates.ts";
import { podNames } from "../steps/lib/road.ts";
import { authorityPath, type TlsSecret } from "../steps/lib/tls-secret.ts";
import type { Cluster } from "./cluster.ts";
import { ownTlsSecret } from "./pod-tls.ts";
import { declareStep } from "./step.ts";

export interface VaultTlsArgs {
  cluster: Cluster;
  namespace: k8s.core.v1.Namespace;
  settings: Pick<Settings, "vault" | "timeouts">;
  tls: TlsSettings;
  /** What files or a Secret hold, as `loadCertificate` gives it. */
  brought: TlsSecret | undefined;
  /** Folder for the authority's certificate, relative to the project. */
  stackDir: string;
}

const base64 = (text: pulumi.Output<string>) => text.apply((text) => Buffer.from(text).toString("base64"));

interface Made {
  cert: string;
  key: string;
  /** ISO 8601. */
  notBefore: string;
}

/** A certificate is renewed when so much of its time is left that status has not yet to warn of its end. */
const termDays = certificateDays - renewDays;

export class VaultTls extends pulumi.ComponentResource {
  /** The Secret, once it holds a certificate that Vault can be started with. */
  readonly secretName: pulumi.Output<string>;
  /**
   * Another one when this stack has another certificate for Vault. undefined where somebody else renews the Secret:
   * the pods then see to it themselves (components/certificate-watch.ts).
   */
  readonly fingerprint: pulumi.Output<string> | undefined;
  /** File with the authority that clients have to trust. */
  readonly authorityFile: string;

  constructor(name: string, args: VaultTlsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vault-ha:vault:VaultTls", name, {}, opts);
    const { cluster, namespace, tls, stackDir } = args;
    const { vault, timeouts } = args.settings;
    this.authorityFile = authorityPath(stackDir);

    let authority: pulumi.Output<string>;
    if (tls.source === "secret") {
      const { answer } = declareStep<{ caCert: string }>(
        `${name}-found`,
        {
          step: "tls-secret",
          input: {
            reach: { kind: "kubernetes", kubeconfig: cluster.kubeconfig, namespace: namespace.metadata.name },
            folder: stackDir,
            name: tls.secretName,
            names: namesNeeded(podNames(vault.replicas), vault.host),
            timeoutSeconds: timeouts.podSeconds,
          },
          triggers: [cluster.instance],
        },
        { parent: this, dependsOn: namespace, ...cluster.end },
      );
      this.secretName = pulumi.unsecret(answer.apply(() => tls.secretName));
      // It may have been renewed since the step looked.
      authority = pulumi.unsecret(answer.apply(({ caCert }) => args.brought?.caCert ?? caCert));
    } else {
      const { cert, key, caCert } = args.brought
        ? pulumi.output(args.brought)
        : this.#makeCertificate(name, args);
      const secret = new k8s.core.v1.Secret(
        `${name}-secret`,
        {
          metadata: {
            name: ownTlsSecret,
            namespace: namespace.metadata.name,
            // Taken over where the state does not know it: the name is this program's own.
            annotations: { "pulumi.com/patchForce": "true" },
          },
          type: "kubernetes.io/tls",
          data: { "tls.crt": base64(cert), "tls.key": base64(pulumi.secret(key)), "ca.crt": base64(caCert) },
        },
        { parent: this, provider: cluster.provider, ...cluster.end },
      );
      this.secretName = secret.metadata.name;
      this.fingerprint = pulumi.unsecret(cert.apply(fingerprintOf));
      authority = pulumi.unsecret(caCert);
    }
    // For people and their tools: curl --cacert, VAULT_CACERT.
    pulumi.all([authority, cluster.instance]).apply(([pem]) => {
      if (pulumi.runtime.isDryRun()) return;
      mkdirSync(stackDir, { recursive: true, mode: 0o700 });
      writeFileSync(this.authorityFile, pem);
    });
    this.registerOutputs({ secretName: this.secretName });
  }

  /** An authority of the stack's own, and a certificate that it signs. Neither waits for the cluster. */
  #makeCertificate(
    name: string,
    { cluster, settings }: VaultTlsArgs,
  ): { cert: pulumi.Output<string>; key: pulumi.Output<string>; caCert: pulumi.Output<string> } {
    const { vault, timeouts } = settings;
    const input = { stack: pulumi.getStack(), timeoutSeconds: timeouts.stepSeconds };
    const options = { parent: this, ...cluster.end };
    const authority = declareStep<Made>(
      `${name}-authority`,
      { step: "authority", input, triggers: [] },
      // Made once: no change of a setting makes another, which every client would have to be told of.
      { ...options, ignoreChanges: ["stdin"] },
    ).answer;
    const term = authority.apply(({ notBefore }) =>
      String(Math.floor((Date.now() - Date.parse(notBefore)) / (termDays * dayMs))),
    );
    const certificate = declareStep<Made>(
      `${name}-certificate`,
      {
        step: "certificate",
        input: {
          ...input,
          names: serverNames(vault),
          authority: authority.apply(({ cert, key }) => ({ cert, key })),
        },
        triggers: [],
        facts: { TERM: pulumi.unsecret(term) },
      },
      options,
    ).answer;
    return {
      cert: certificate.apply(({ cert }) => cert),
      key: certificate.apply(({ key }) => key),
      caCert: authority.apply(({ cert }) => cert),
    };
  }
}
