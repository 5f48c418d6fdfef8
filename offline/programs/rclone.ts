import { goPart } from "../lib/go-part.ts";

/**
 * `rclone`, which brings scheduled snapshots to a bucket. Our own main package has the commands and the one kind of
 * storage (S3) that those use, of the dozens that rclone knows.
 */
export const rclone = goPart({
  name: "rclone",
  says: "rclone 1.75.1, for S3 alone",
  folder: "rclone",
  programs: [
    { name: "rclone", package: ".", variables: { "github.com/rclone/rclone/fs.Version": "v1.75.1" } },
  ],
});
