import { existsSync } from "node:fs";
import { constants } from "node:os";

/** Go's names of signals (Go's syscall package, zerrors_linux_amd64.go), where they differ from the number's form. */
const signalNames: { [name in NodeJS.Signals]?: string } = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGQUIT: "quit",
  SIGILL: "illegal instruction",
  SIGTRAP: "trace/breakpoint trap",
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGKILL: "killed",
  SIGUSR1: "user defined signal 1",
  SIGSEGV: "segmentation fault",
  SIGUSR2: "user defined signal 2",
  SIGPIPE: "broken pipe",
  SIGALRM: "alarm clock",
  SIGTERM: "terminated",
};

/** How a process ended, in Go's words, as the official plug-in prints it; undefined = well. */
export function outcomeOf(end: { code: number | null; signal: NodeJS.Signals | null }): string | undefined {
  if (end.signal) return `signal: ${signalNames[end.signal] ?? constants.signals[end.signal]}`;
  return end.code === 0 ? undefined : `exit status ${end.code}`;
}

/** Why a process could not be started, in Go's words: no folder, no program, or the system's own error. */
export function cannotStart(error: NodeJS.ErrnoException, program: string, dir: string | undefined): string {
  if (error.code !== "ENOENT") return `fork/exec ${program}: ${reasons[error.code ?? ""] ?? error.message}`;
  if (dir !== undefined && !existsSync(dir)) return `chdir ${dir}: no such file or directory`;
  if (program.includes("/")) return `fork/exec ${program}: no such file or directory`;
  return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
}

const reasons: Record<string, string> = {
  EACCES: "permission denied",
  E2BIG: "argument list too long",
  ENOEXEC: "exec format error",
  ENOTDIR: "not a directory",
};
