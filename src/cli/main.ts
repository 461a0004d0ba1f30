// The command `nibblemark`: finds the command, parses its flags, runs it, and turns typed errors into one line and an
// exit code (2 bad input, 3 nothing available to run).

import { InputError, UnavailableError } from "../core/errors.js";
import { attachCommand } from "./attach.js";
import { benchCommand } from "./bench.js";
import { calibrateCommand } from "./calibrate.js";
import { type Command, commandHelp } from "./command.js";
import { compareCommand } from "./compare.js";
import { compressCommand } from "./compress.js";
import { convertCommand } from "./convert.js";
import { demoCommand } from "./demo.js";
import { doctorCommand } from "./doctor.js";
import { evalCommand } from "./eval.js";
import { execCommand } from "./exec.js";
import { fitCommand } from "./fit.js";
import { parseFlags } from "./flags.js";
import { inspectCommand } from "./inspect.js";
import { suggest } from "./nearest.js";
import { packageVersion } from "./parts/environment.js";
import { replayCommand } from "./replay.js";
import { reportCommand } from "./report.js";
import { runCommand } from "./run.js";
import { sweepCommand } from "./sweep.js";
import { workerCommand } from "./worker.js";

const COMMANDS: readonly Command[] = [
  benchCommand,
  runCommand,
  evalCommand,
  doctorCommand,
  calibrateCommand,
  inspectCommand,
  compressCommand,
  convertCommand,
  fitCommand,
  sweepCommand,
  execCommand,
  attachCommand,
  replayCommand,
  compareCommand,
  reportCommand,
  workerCommand,
  demoCommand,
];

function help(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return `Nibblemark benchmarks compressed multimodal language models here, and under simulated CXL memory.

Usage: nibblemark [COMMAND] [flags]

Commands (bench when none is given):
${lines.join("\n")}

Examples:
  nibblemark bench
  nibblemark run --image picture.png --prompt "how many sevens?"
  nibblemark bench --shape llava-1.5-7b --topology local,cxl-1hop -o md

nibblemark COMMAND --help tells a command's flags and examples; --version the version.
Exit codes: 0 ok, 1 regression found by compare, 2 bad input, 3 nothing available to run, 4 the watched program failed, 130 stopped by Ctrl-C.
`;
}

async function main(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first === "--version" || first === "-V") {
    process.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    process.stdout.write(help());
    return 0;
  }
  const named = first !== undefined && !first.startsWith("-");
  const command = named ? COMMANDS.find(({ name }) => name === first) : benchCommand;
  if (!command) {
    const names = COMMANDS.map(({ name }) => name);
    throw new InputError("nibblemark", first ?? "", "unknown command", suggest(first ?? "", names));
  }
  const parsed = parseFlags(command.name, command.flags, named ? args.slice(1) : args, command.positionals);
  if (parsed.on("help")) {
    process.stdout.write(commandHelp(command));
    return 0;
  }
  return command.run(parsed);
}

/** One line for what the user can mend; a stack trace only for our own faults. */
function report(error: unknown): number {
  if (error instanceof InputError || error instanceof UnavailableError) {
    const line = error.message.replace(/(?<!\.)\.\.$/, ".");
    process.stderr.write(`${line.startsWith("nibblemark") ? "" : "nibblemark: "}${line}\n`);
    return error instanceof InputError ? 2 : 3;
  }
  process.stderr.write(`nibblemark: this is a fault of the program, please report it\n${(error as Error)?.stack}\n`);
  return 70;
}

// A reader that closes the pipe (head) is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 70));
process.exitCode = await main(process.argv.slice(2)).catch(report);
