/** A client of a port of this machine that speaks TLS, and sees whose certificate it is shown. */
import type { X509Certificate } from "node:crypto";
import { request } from "node:https";
import type { TLSSocket } from "node:tls";

export interface TlsLook {
  port: number;
  /** The name for SNI and the Host header, which the certificate has to be for. */
  host: string;
  path: string;
  /** The only authority that is trusted, as PEM. */
  ca: string | undefined;
}

export interface Seen {
  certificate: X509Certificate;
  status: number;
  body: string;
}

/** One GET over a connection of its own. Fails where the certificate cannot be trusted. */
export function seenThrough({ port, host, path, ca }: TlsLook): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, servername: host, headers: { host }, path, ca };
    const sent = request({ ...options, agent: false, timeout: 10_000 }, (response) => {
      const certificate = (response.socket as TLSSocket).getPeerX509Certificate();
      let body = "";
      response.on("data", (data) => {
        body += data;
      });
      response.on("end", () => {
        if (certificate) resolve({ certificate, status: response.statusCode ?? 0, body });
        else reject(new Error("there was no certificate"));
      });
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer for 10 s")));
    sent.on("error", reject).end();
  });
}
