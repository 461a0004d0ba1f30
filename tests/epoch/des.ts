// A closed-loop discrete-event simulator of lines in flight over links and pools: the oracle of the solved equation. It shares
// no formula with assembly/epoch: lines queue at servers, hosts take turns there, and a memory's latency is read off its own
// throughput of the last lines. A host keeps `inFlight` lines under way; others send at their pace as far as they are let.

export interface Server {
  /** ns that a line read and a line written occupy it. */
  readonly readNs: number;
  readonly writeNs: number;
}

export interface Memory extends Server {
  /** Whole latency of a line at a utilisation, the service times of pool and links included. */
  latencyNs(utilisation: number): number;
  /** Links on the way, by index. */
  readonly path: readonly number[];
  /** Share of the lines. */
  readonly share: number;
  /** Lines written back for each line read. */
  readonly writesPerRead: number;
}

export interface Pacer {
  readonly memory: number;
  readonly linesPerNs: number;
  readonly path: readonly number[];
}

export interface World {
  readonly links: readonly Server[];
  readonly memories: readonly Memory[];
  readonly others: readonly Pacer[];
  readonly inFlight: number;
  readonly lines: number;
}

interface Job {
  readonly host: number;
  readonly memory: number;
  readonly isWrite: boolean;
  readonly path: readonly number[];
  step: number;
}

/** Events, the latest first; events of one time in the order they were added. */
class Agenda {
  readonly #events: { at: number; action: () => void }[] = [];
  now = 0;

  add(at: number, action: () => void): void {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle].at > at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { at, action });
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const next = this.#events.pop();
    this.now = next?.at ?? this.now;
    next?.action();
    return next !== undefined;
  }
}

/** Lines over which a memory sees its own load: several rounds of all lines in flight, as these stay bunched. */
const WINDOW = 512;

/** One line at a time; hosts that wait take turns. */
class Station {
  readonly #queues: (() => void)[][];
  /** End and work so far of the last lines. */
  readonly #done: [endNs: number, workNs: number][] = [];
  #turn = 0;
  #busy = false;
  #workNs = 0;

  constructor(
    readonly agenda: Agenda,
    hosts: number,
  ) {
    this.#queues = Array.from({ length: hosts }, () => []);
  }

  enter(host: number, ns: number, done: () => void): void {
    const serve = () => {
      this.#busy = true;
      this.agenda.add(this.agenda.now + ns, () => {
        this.#busy = false;
        this.#workNs += ns;
        this.#done.push([this.agenda.now, this.#workNs]);
        if (this.#done.length > WINDOW) this.#done.shift();
        this.#next();
        done();
      });
    };
    if (this.#busy) this.#queues[host].push(serve);
    else serve();
  }

  #next(): void {
    const order = this.#queues.map((_, i) => (this.#turn + i + 1) % this.#queues.length);
    const host = order.find((index) => this.#queues[index].length > 0);
    if (host === undefined) return;
    this.#turn = host;
    this.#queues[host].shift()?.();
  }

  /** Busy share over the last lines. */
  utilisation(): number {
    const [from, workNs] = this.#done[0] ?? [0, 0];
    const span = this.agenda.now - from;
    return span > 0 ? Math.min(1, (this.#workNs - workNs) / span) : 0;
  }
}

/** ns until the host's lines are read and written back. */
export function simulate({ links, memories, others, inFlight, lines }: World): number {
  const agenda = new Agenda();
  const hosts = 1 + others.length;
  const station = () => new Station(agenda, hosts);
  const inward = links.map(station);
  const outward = links.map(station);
  const pools = memories.map(station);
  let [issued, open, finished] = [0, 0, 0];
  const owed = memories.map(() => 0);
  const sent = memories.map(() => 0);

  function travel(job: Job, done: () => void): void {
    const memory = memories[job.memory];
    const link = job.path[job.step++];
    if (link !== undefined) {
      const server = (job.isWrite ? outward : inward)[link];
      server.enter(job.host, links[link].readNs, () => travel(job, done));
      return;
    }
    const u = pools[job.memory].utilisation();
    const service = job.isWrite ? memory.writeNs : memory.readNs;
    const spent = memory.readNs + job.path.reduce((sum, at) => sum + links[at].readNs, 0);
    pools[job.memory].enter(job.host, service, () =>
      agenda.add(agenda.now + (job.isWrite ? 0 : Math.max(0, memory.latencyNs(u) - spent)), done),
    );
  }

  function finish(): void {
    open--;
    if (open === 0 && issued === lines) finished = agenda.now;
  }

  function issue(): void {
    if (issued === lines) return;
    issued++;
    for (const [i, { share }] of memories.entries()) owed[i] += share;
    const at = owed.indexOf(Math.max(...owed));
    owed[at] -= 1;
    const { path, writesPerRead } = memories[at];
    open++;
    travel({ host: 0, memory: at, isWrite: false, path, step: 0 }, () => {
      sent[at] += writesPerRead;
      while (sent[at] >= 1) {
        sent[at] -= 1;
        open++;
        travel({ host: 0, memory: at, isWrite: true, path, step: 0 }, finish);
      }
      issue();
      finish();
    });
  }

  others.forEach(({ memory, linesPerNs, path }, i) => {
    let under = 0;
    const send = () => {
      if (finished > 0) return;
      agenda.add(agenda.now + 1 / linesPerNs, send);
      if (under >= 4096) return;
      under++;
      travel({ host: i + 1, memory, isWrite: false, path, step: 0 }, () => under--);
    };
    send();
  });
  for (let i = 0; i < inFlight; i++) agenda.add((i * 400) / inFlight, issue);
  while (finished === 0 && agenda.step());
  return finished;
}
