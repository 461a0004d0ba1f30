// Making a watched program really slower: delays are owed until they are worth a stop, and what a stop took is what was paid.

/** Shorter stops cost more than they delay (the overshoot of a stop from outside is about 35 us). */
export const LEAST_STOP_NS = 100_000;
/** Longer ones are paid in parts, so that signals to us are not kept waiting. */
export const MOST_STOP_NS = 200e6;

/** Stops the program for about `ns`; gives how long it really stood, 0 when it could not be stopped. */
export type Stop = (ns: number) => number;

export interface Debt {
  /** Owes a delay, less what our own counting has cost the program; pays when it is worth it. Gives the ns the program stood. */
  owe(delayNs: number, overheadNs: number): number;
  /** Owes the last epoch's delay, after which there is nothing left to stop; gives what is owed in all. */
  oweLast(delayNs: number, overheadNs: number): number;
  /** What was paid by keeping the program's end back. */
  keptBack(ns: number): void;
  readonly requestedNs: number;
  readonly achievedNs: number;
  readonly stops: number;
  readonly atEndNs: number;
}

export function openDebt(stop: Stop): Debt {
  let debtNs = 0;
  const total = { requestedNs: 0, achievedNs: 0, stops: 0, atEndNs: 0 };
  const oweLast = (delayNs: number, overheadNs: number) => {
    const wanted = Math.max(0, delayNs);
    total.requestedNs += wanted;
    // Overhead pays for delay only; where none is wanted nothing is owed, and nothing stops.
    const paid = Math.min(wanted, overheadNs);
    total.achievedNs += paid;
    debtNs += wanted - paid;
    return Math.max(0, debtNs);
  };
  return {
    oweLast,
    keptBack(ns) {
      debtNs -= ns;
      total.achievedNs += ns;
      total.atEndNs += ns;
    },
    owe(delayNs, overheadNs) {
      oweLast(delayNs, overheadNs);
      if (debtNs < LEAST_STOP_NS) return 0;
      const stood = stop(Math.min(debtNs, MOST_STOP_NS));
      if (stood <= 0) return 0;
      debtNs -= stood;
      total.achievedNs += stood;
      total.stops++;
      return stood;
    },
    get requestedNs() {
      return total.requestedNs;
    },
    get achievedNs() {
      return total.achievedNs;
    },
    get stops() {
      return total.stops;
    },
    get atEndNs() {
      return total.atEndNs;
    },
  };
}
