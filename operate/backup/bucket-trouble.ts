/** What is wrong with a bucket, from what rclone has said of it. */
import type { BucketPlace } from "../../steps/lib/backup-bucket.ts";

export interface BucketTrouble {
  /** In plain words, one line. */
  says: string;
  /** The commands that come next; one that begins with "#" is a word to the reader. */
  next: string[];
}

/** Runs kubectl in Vault's namespace. */
type Kubectl = (command: string) => string;

const setting = (key: string) => `pulumi config set backup.bucket.${key} <value>`;

/**
 * S3's own codes (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and Go's words for a server that
 * is not reached; undefined where it is neither.
 */
export function bucketTrouble(
  said: string,
  { name, folder, endpoint, secretName }: BucketPlace,
  kubectl: Kubectl,
): BucketTrouble | undefined {
  const where = endpoint ?? "Amazon's S3";
  const secret = kubectl(
    `create secret generic ${secretName} --from-env-file <file> --dry-run=client --output yaml | ${kubectl("apply --filename -")}`,
  );
  const known: [RegExp, string, string[]][] = [
    [
      /\bNoKey\b/,
      `the Secret ${secretName} is not there, or it lacks AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY`,
      [secret],
    ],
    [
      /\b(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken)\b/,
      `${where} does not take the key${secretName ? ` in the Secret ${secretName}` : " of the pod's identity"}`,
      secretName ? [secret] : [],
    ],
    [
      /\b(AccessDenied|Forbidden)\b|StatusCode: 403/,
      `${where} knows the key, which may not do what it has to in s3://${name}/${folder}/`,
      ["# what it has to be allowed: docs/backup.md, its policy"],
    ],
    // The second is what a recursive listing says; S3 has no folders that could be missing.
    [/\bNoSuchBucket\b|directory not found/, `${where} has no bucket ${name}`, [setting("name")]],
    [
      /\b(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)\b/,
      `the bucket ${name} is in another region than backup.bucket.region says`,
      [setting("region")],
    ],
    [
      /get identity|no EC2 IMDS role|failed to refresh cached credentials|get credentials/,
      "the cloud gives the pod no identity",
      [`# docs/backup.md has what the service account needs, or:`, setting("secretName")],
    ],
    [
      /x509:|tls: |HTTP response to HTTPS client/,
      `${where} does not show a certificate that the pod trusts`,
      [setting("endpoint")],
    ],
    [
      /dial tcp|no such host|i\/o timeout|connection refused|context deadline exceeded/,
      `${where} is not reached from the pod`,
      [setting("endpoint")],
    ],
    [
      /\bNotWhole\b/,
      `what ${where} gives back is not what was sent`,
      ["# look at what stands between the pod and the bucket"],
    ],
  ];
  const found = known.find(([pattern]) => pattern.test(said));
  return found && { says: found[1], next: found[2] };
}
