import type { Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";

/** Vault's audit devices. */
export interface AuditView {
  /** The node that was asked. */
  asked: string;
  /** The file that each device writes, by the device's path ("file/"); undefined for one that writes no file. */
  devices: Record<string, string | undefined>;
}

/** Asks one node. Throws with Vault's own words where it does not answer, as where it cannot write its audit log. */
export async function auditView(
  road: Road,
  node: string,
  token: string,
  signal: AbortSignal,
): Promise<AuditView> {
  const vault = new Vault(road, node, { signal }, token);
  try {
    const devices = Object.entries(await vault.auditDevices());
    return {
      asked: node,
      devices: Object.fromEntries(devices.map(([path, { options }]) => [path, options.file_path])),
    };
  } finally {
    vault.close();
  }
}
