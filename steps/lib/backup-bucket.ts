/** How a bucket of scheduled snapshots is named to its pod, and how that is read from the pod again. */

/** A bucket, and where in it a stack's snapshots are. */
export interface BucketPlace {
  name: string;
  /** What the names of the stack's objects begin with, without / at its ends. */
  folder: string;
  /** undefined: Amazon's S3. */
  endpoint?: string;
  /** The Secret with the key; undefined: the pod's own identity. */
  secretName?: string;
}

/** Where a stack's snapshots go. The stack's name is a part of it, so that stacks can share a bucket. */
export function bucketPlace(
  stack: string,
  bucket: { name: string; prefix: string; endpoint: string | undefined; secretName: string | undefined },
): BucketPlace {
  const { name, prefix, endpoint, secretName } = bucket;
  return {
    name,
    folder: `${prefix}/${stack}`,
    ...(endpoint !== undefined && { endpoint }),
    ...(secretName !== undefined && { secretName }),
  };
}

/** As people write it. */
export function bucketUrl({ name, folder }: BucketPlace): string {
  return `s3://${name}/${folder}`;
}

/** The environment of its pod that says where snapshots go. */
export function bucketEnv({ name, folder, secretName }: BucketPlace): Record<string, string> {
  return { BUCKET: name, BUCKET_FOLDER: folder, BUCKET_SECRET: secretName ?? "" };
}

/** What a pod's environment says; undefined where its snapshots go to a volume. */
export function bucketOf(
  env: readonly { name: string; value?: string | undefined }[],
): BucketPlace | undefined {
  const { BUCKET, BUCKET_FOLDER, BUCKET_SECRET, RCLONE_S3_ENDPOINT } = Object.fromEntries(
    env.map(({ name, value }) => [name, value]),
  );
  if (!BUCKET || !BUCKET_FOLDER) return undefined;
  return {
    name: BUCKET,
    folder: BUCKET_FOLDER,
    ...(RCLONE_S3_ENDPOINT && { endpoint: RCLONE_S3_ENDPOINT }),
    ...(BUCKET_SECRET && { secretName: BUCKET_SECRET }),
  };
}
