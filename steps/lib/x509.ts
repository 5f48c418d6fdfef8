/** Makes X.509 certificates. Loads a library, so only the steps that make one import it. */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { authorityDays, certificateDays, dayMs } from "./certificates.ts";

/** A certificate and its private key, both PEM, and when it ends (ISO 8601). */
export interface Made {
  cert: string;
  key: string;
  notBefore: string;
  notAfter: string;
}

/** A key of 256 bits on a curve that every TLS client knows. */
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Makes an authority that may sign servers' certificates and no further authority. */
export async function makeAuthority(name: string): Promise<Made> {
  const keys = await newKeys();
  const dates = validity(authorityDays);
  const cert = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: algorithm,
    ...dates,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return made(cert, keys, dates);
}

/** From when until when a certificate is good. */
export interface Validity {
  notBefore: Date;
  notAfter: Date;
}

/** Makes a server's certificate for these names and addresses, signed by the authority; from now on, unless told. */
export async function issueCertificate(
  authority: Pick<Made, "cert" | "key">,
  names: readonly string[],
  { notBefore, notAfter }: Validity = validity(certificateDays),
): Promise<Made> {
  const issuer = new X509Certificate(authority.cert);
  const signingKey = await crypto.subtle.importKey(
    "pkcs8",
    PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ["sign"],
  );
  const keys = await newKeys();
  const dates = { notBefore, notAfter: issuer.notAfter < notAfter ? issuer.notAfter : notAfter };
  const cert = await X509CertificateGenerator.create({
    subject: [{ CN: ["vault"] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    ...dates,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return made(cert, keys, dates);
}

const newKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

function validity(days: number): Validity {
  // Clocks of clients may be a little behind. X.509 counts whole seconds.
  const now = Math.floor(Date.now() / 1000) * 1000;
  return { notBefore: new Date(now - 5 * 60 * 1000), notAfter: new Date(now + days * dayMs) };
}

async function made(
  cert: X509Certificate,
  { privateKey }: webcrypto.CryptoKeyPair,
  { notBefore, notAfter }: Validity,
): Promise<Made> {
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY");
  return {
    cert: `${cert.toString("pem")}\n`,
    key: `${key}\n`,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
  };
}
