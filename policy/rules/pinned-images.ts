import { isMap } from "../../components/values-file.ts";
import { finding, type Rule } from "../rule.ts";

/** No image of Vault's release without a tag of its own, or by the tag latest. */
export const pinnedImages: Rule = {
  name: "pinned-images",
  says: "Vault's images are named by a version: latest is another Vault at the next restart of a pod, and nobody has decided that.",
  of: ["vault-release"],
  find: ({ props }) =>
    imagesIn(props.values).flatMap(({ key, image }) =>
      isPinned(image)
        ? []
        : finding(
            `The image at ${key} is ${image}.`,
            key === "server.image"
              ? "Name a tag: npm run setup writes the one that fits (.local/sources.json)."
              : `Name a tag in the stack's own values (vault.valuesFile), at ${key}.`,
          ),
    ),
};

/** By digest, or by a tag that is not the moving one. A port of the registry is no tag. */
const isPinned = (image: string): boolean => {
  if (image.includes("@sha256:")) return true;
  const tag = /:([^:/]*)$/.exec(image)?.[1] ?? "";
  return tag !== "" && tag !== "latest";
};

/** Every image in a chart's values, as `repository` and `tag` or as one text under `image`, and where it stands. */
function imagesIn(value: unknown, key = ""): { key: string; image: string }[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => imagesIn(item, `${key}[${i}]`));
  if (!isMap(value)) return [];
  const { repository, tag } = value;
  const own =
    typeof repository === "string" && /image$/i.test(key)
      ? [{ key, image: typeof tag === "string" && tag !== "" ? `${repository}:${tag}` : repository }]
      : [];
  const inner = Object.entries(value).flatMap(([name, item]) => {
    const at = key === "" ? name : `${key}.${name}`;
    return name === "image" && typeof item === "string" ? [{ key: at, image: item }] : imagesIn(item, at);
  });
  return [...own, ...inner];
}
