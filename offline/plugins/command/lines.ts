import { StringDecoder } from "node:string_decoder";

/** Cuts a stream into lines, without their newline and the carriage return before it. */
export function lines(each: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return {
    write(chunk) {
      const whole = (rest + decoder.write(chunk)).split("\n");
      rest = whole.pop() ?? "";
      for (const line of whole) each(line.replace(/\r$/, ""));
    },
    end() {
      rest += decoder.end();
      if (rest !== "") each(rest);
      rest = "";
    },
  };
}
