// `bench --targets`: one scenario in several runtimes and browsers that take turns, merged into one result.

import { UnavailableError } from "../core/errors.js";
import type { BenchResult } from "../core/result.js";
import type { Scenario } from "../core/scenario.js";
import type { HostName } from "../core/target.js";
import { findChromium, startChromium, WEBGPU_FLAGS } from "../hosts/chromium.js";
import { findFirefox, startFirefox } from "../hosts/firefox.js";
import { type BenchHost, findProgram, RUNTIMES } from "../hosts/hosts.js";
import { startPageCoordinator } from "../hosts/page.js";
import { startProcessCoordinator } from "../hosts/process.js";
import { nodePlatform } from "../platform/node.js";
import { mergeResults } from "../run/merge.js";
import { withInterrupt } from "./conversation.js";
import { captureEnvironment } from "./parts/environment.js";
import { type HostOutcome, type HostStart, missingHost, resultOf, takeTurns } from "./parts/turns.js";
import type { BenchRequest, ClientMessage, CoordinatorEvent, FinalEvent } from "./protocol.js";
import { errorOf, isFinal } from "./protocol.js";
import type { ProgressBar } from "./terminal.js";

const MAIN = new URL("./main.js", import.meta.url).pathname;

function commandOf(host: Exclude<BenchHost, "chromium" | "firefox">): readonly string[] {
  if (host === "node") return [process.execPath, MAIN, "worker"];
  const program = findProgram(host, RUNTIMES[host]);
  return host === "deno" ? [program, "run", "-A", MAIN, "worker"] : [program, MAIN, "worker"];
}

/** Folders that a page may read, by their name in the package. */
function pageFolders(): Readonly<Record<string, string>> {
  const { packagePath } = nodePlatform();
  return {
    page: packagePath("build/page"),
    build: packagePath("build"),
    profiles: packagePath("profiles"),
    models: packagePath("models"),
  };
}

type OnMessage = (event: CoordinatorEvent) => void;

function startPage(host: "chromium" | "firefox", request: BenchRequest, onMessage: OnMessage) {
  const program = host === "chromium" ? findChromium() : findFirefox();
  const open = (url: string) =>
    host === "chromium" ? startChromium(program, url, WEBGPU_FLAGS) : startFirefox(program, url);
  const options = { folders: pageFolders(), open, onAddress: () => {} };
  const inPage = { ...request, environment: captureEnvironment() };
  return startPageCoordinator<ClientMessage, CoordinatorEvent, FinalEvent>(options, inPage, onMessage, isFinal);
}

function startOf(host: BenchHost, scenario: Scenario, first: boolean): HostStart {
  // Quality is the same wherever the same kernels run: the first host tells it.
  const request: BenchRequest = {
    kind: "bench",
    scenario: { ...scenario, hosts: undefined, quality: scenario.quality && first },
    turns: true,
  };
  return {
    host: host as HostName,
    start(onMessage) {
      if (host === "chromium" || host === "firefox") return startPage(host, request, onMessage);
      const [program = "", ...args] = commandOf(host);
      return startProcessCoordinator<ClientMessage, CoordinatorEvent, FinalEvent>(
        program,
        args,
        request,
        onMessage,
        isFinal,
      );
    },
  };
}

/** The one result of hosts that answered. Throws the first failure where none did. */
function merged(scenario: Scenario, outcomes: readonly HostOutcome[]): BenchResult {
  const runs = outcomes.flatMap((outcome) => {
    const result = resultOf(outcome);
    return result ? [{ host: outcome.host, result }] : [];
  });
  const [first, ...others] = runs;
  const failed = outcomes.filter((outcome) => resultOf(outcome) === null);
  if (first) return mergeResults(scenario, [first, ...others], failed.map(missingHost));
  throw failureOfAll(failed);
}

/** The one error of hosts of which none gave a result: a fault of input or program first, else all that is missing. */
function failureOfAll(failed: readonly HostOutcome[]): Error {
  const answers = failed.map(({ answer }) => answer);
  const fault = answers.find(({ kind }) => kind === "input-error" || kind === "crash");
  if (fault?.kind === "input-error" || fault?.kind === "crash") return errorOf(fault);
  const missing = answers.filter((answer) => answer.kind === "unavailable");
  const [first, ...others] = missing;
  if (first && others.length === 0 && failed.length === 1) return errorOf(first);
  const reasons = missing.map(({ parts: [what, reason, remedy] }) => `${what}: ${reason} (${remedy})`);
  return new UnavailableError("every host", reasons.join("; ") || "none gave a result", "Run nibblemark doctor");
}

/** Runs the scenario in each of its hosts. */
export async function benchHosts(scenario: Scenario, bar: ProgressBar): Promise<BenchResult> {
  const starts = (scenario.hosts ?? []).map((host, i) => startOf(host as BenchHost, scenario, i === 0));
  const stops: ((message: ClientMessage) => void)[] = [];
  const stop = () => {
    for (const send of stops) send({ kind: "stop" });
  };
  const outcomes = await withInterrupt(bar, stop, () =>
    takeTurns(
      starts,
      (progress) => bar.show(progress),
      (send) => stops.push(send),
    ),
  );
  return merged(scenario, outcomes);
}
