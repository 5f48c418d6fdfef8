/** What keeps a node's TLS from being trusted. */
export type TlsProblem = "expired" | "not yet valid" | "of another authority" | "for other names" | "no TLS";

/** No connection that can be trusted came about; nothing was sent to the node. */
export class TlsRefusal extends Error {
  readonly problem: TlsProblem;
  constructor(problem: TlsProblem, message: string) {
    super(message);
    this.name = "TlsRefusal";
    this.problem = problem;
  }
}

/** OpenSSL's names for what is wrong with a chain: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/ */
const anotherAuthority = [
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_SIGNATURE_FAILURE",
];

/** Says in words of the certificate why TLS did not come about; any other error as it came. */
export function tlsRefusal(error: unknown, name: string): unknown {
  const { code = "", cert } = error as { code?: string; cert?: { subjectaltname?: string } };
  if (code === "CERT_HAS_EXPIRED")
    return new TlsRefusal("expired", "its certificate, or the authority that signed it, has expired");
  if (code === "CERT_NOT_YET_VALID")
    return new TlsRefusal(
      "not yet valid",
      "its certificate, or the authority that signed it, is not valid yet",
    );
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return new TlsRefusal(
      "for other names",
      `its certificate is not for ${name}; it is for ${cert?.subjectaltname ?? "no name at all"}`,
    );
  if (anotherAuthority.includes(code))
    return new TlsRefusal(
      "of another authority",
      `its certificate is not signed by the authority that is trusted (${code})`,
    );
  // What speaks HTTP answers a TLS greeting with text.
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(code))
    return new TlsRefusal("no TLS", "it does not speak TLS");
  return error;
}
