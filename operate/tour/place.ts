import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import type { Settings } from "../../config.ts";
import { StepError, words } from "../../steps/lib/errors.ts";
import { HttpClient } from "../../steps/lib/http.ts";
import { connected, secured } from "../../steps/lib/road.ts";
import type { Way } from "../../steps/lib/target.ts";

/** Where a Vault answers on this machine, for this program and for a person's shell. */
export interface Place {
  /** As VAULT_ADDR has it, such as https://vault.localhost:8443. The certificate has to be for its host. */
  address: string;
  /** The IP address that is connected to. */
  ip: string;
  /** With https: the file with the authority that is trusted, as PEM. */
  caFile?: string;
}

/** The ways in: the port of this machine that leads to Vault's own service, or the ingress. */
export const ways = ["port", "ingress"] as const;
export type Through = (typeof ways)[number];

/**
 * Where a stack with these settings has its Vault answer. On a cluster that exists: at the port of this machine that
 * `kubectl port-forward` opens.
 */
export function placeOf(
  { cluster, vault }: Pick<Settings, "cluster" | "vault">,
  through: Through,
  scheme: Way["scheme"],
  caFile: string,
): Place {
  const { existing, listenAddress, ports } = cluster;
  const host = existing
    ? "localhost:8200"
    : through === "port"
      ? `localhost:${ports.vault}`
      : `${vault.host}:${scheme === "https" ? ports.https : ports.http}`;
  return {
    address: `${scheme}://${host}`,
    ip: ["0.0.0.0", "::"].includes(listenAddress) ? "127.0.0.1" : listenAddress,
    ...(scheme === "https" && { caFile }),
  };
}

/** The parts of a place's address. */
export function partsOf({ address }: Pick<Place, "address">) {
  const { protocol, host, hostname, port } = new URL(address);
  const scheme: Way["scheme"] = protocol === "https:" ? "https" : "http";
  return { scheme, host, hostname, port: Number(port || (scheme === "https" ? 443 : 80)) };
}

/**
 * A client of the Vault there. Nothing is connected before it is used. It connects to the place's IP address, whatever
 * this machine makes of the host's name: that of the ingress is in no DNS.
 * @throws StepError where the authority's file cannot be read
 */
export function clientOf(place: Place): HttpClient {
  const { scheme, host, hostname, port } = partsOf(place);
  const caCert = place.caFile && readAuthority(place.caFile);
  return new HttpClient(host, async () =>
    secured(await connected(connectTcp({ host: place.ip, port })), hostname, { scheme, caCert }),
  );
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new StepError(
      `cannot read the authority that Vault's certificate is verified with: ${words(error)}`,
    );
  }
}
