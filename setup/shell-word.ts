/** A text as one word of a shell command, quoted only where it has to be. Control characters are escaped (bash, zsh). */
export function shellWord(text: string): string {
  if (/^[\w./:@%+=-]+$/.test(text)) return text;
  const escaped = text.replaceAll("'", "'\\''");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
  const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
  if (!control.test(text)) return `'${escaped}'`;
  const code = (character: string) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  const visible = text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
  return `$'${visible.replaceAll(new RegExp(control, "g"), code)}'`;
}
