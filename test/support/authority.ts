import { dayMs, serverNames } from "../../steps/lib/certificates.ts";
import type { TlsSecret } from "../../steps/lib/tls-secret.ts";
import { issueCertificate, type Made, makeAuthority } from "../../steps/lib/x509.ts";

/** An authority for tests, which signs what no authority would: certificates of the past and of the future. */
export class Authority {
  readonly #made: Made;

  private constructor(made: Made) {
    this.#made = made;
  }

  static async make(name = "an authority"): Promise<Authority> {
    return new Authority(await makeAuthority(name));
  }

  get caCert(): string {
    return this.#made.cert;
  }

  /** A Vault certificate as its Secret holds it; `from` and `until` in days from now. */
  async issue({
    from = -1,
    until = 300,
    names = serverNames({ namespace: "vault", host: "vault.localhost" }),
  } = {}): Promise<TlsSecret> {
    const second = Math.floor(Date.now() / 1000) * 1000;
    const [notBefore, notAfter] = [from, until].map((days) => new Date(second + days * dayMs)) as [
      Date,
      Date,
    ];
    const { cert, key } = await issueCertificate(this.#made, names, { notBefore, notAfter });
    return { cert, key, caCert: this.caCert };
  }
}

/** What a Secret holds, in clear (its stringData). */
export function secretTexts({ cert, key, caCert }: TlsSecret): Record<string, string> {
  return { "tls.crt": cert, "tls.key": key, "ca.crt": caCert };
}
