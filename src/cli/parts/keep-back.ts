// What a program still owes when it has ended (the delay of its last epoch, a rest too short for a stop) keeps its end back: who waits
// for `exec` sees it that much later. A signal to us ends that.

import { setTimeout as sleep } from "node:timers/promises";

/** The last of a wait is waited actively, as timers come late where others want the core. */
const ACTIVE_NS = 5e6;
const SLICE_MS = 20;

/** Notes signals from now on; the function waits for so many ns and gives the ns that passed. */
export function keeperBack(): (ns: number) => Promise<number> {
  let interrupted = false;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(name, () => (interrupted = true));
  return async (ns) => {
    const start = process.hrtime.bigint();
    const passed = () => Number(process.hrtime.bigint() - start);
    while (ns - passed() > ACTIVE_NS && !interrupted) {
      await sleep(Math.min(SLICE_MS, (ns - passed() - ACTIVE_NS) / 1e6));
    }
    while (passed() < ns && !interrupted);
    return passed();
  };
}
