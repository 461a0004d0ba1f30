// Runs a job's units on this thread, or on all threads of one shared memory. Threads claim units from a counter; which
// thread computes a unit changes no bits. Workers spin for a moment before they sleep, and a worker that sleeps through
// a job is not waited for.

import { Job, KIND_ATTENTION, KIND_READ } from "./job";
import { THREADS } from "./lanes";
import { runUnit } from "./units";

// Words of the control block: jobs published so far, next unit to claim, workers inside a job, workers asleep, whether a
// worker has failed, units that workers have done, and whether the coordinator sleeps.
const PUBLISHED: usize = 0;
const NEXT: usize = 4;
const ACTIVE: usize = 8;
const ASLEEP: usize = 12;
const FAILED: usize = 16;
const HELPED: usize = 20;
const WAITING: usize = 24;
/** Bytes of the control block; the job stands at +64. */
export const CONTROL_BYTES: i32 = 512;
const CLOSED: i32 = 0x40000000;
/** Looks for the end of a job, or for the next one; the latter at first after a sleep. */
const SPINS: i32 = 50000;
const FIRST_SPINS: i32 = 4000;
/** Most tokens times columns of a product whose units take less than a spin; longer ones end apart on a quiet machine too. */
const SHORT_WORK: i32 = 8192;
const TROUBLE_STEP: i32 = 8;
const MOST_TROUBLE: i32 = 20;
/** Units (some ms to half a second) that the coordinator does alone once threads stand in each other's way. */
const ALONE_UNITS: i32 = 512;
const MOST_ALONE_UNITS: i32 = 32768;
/** The coordinator does at least one of so many units where it has a core of its own. */
const LEAST_SHARE: i32 = 16;
/** What FAILED holds: a worker has trapped, or one inside a job has not been heard of. */
const TRAPPED: i32 = 1;
const SILENT: i32 = 2;
const WAIT_NS: i64 = 100000;
/** Waits (10 s or more) after which a worker that is inside a job is given up: its thread was ended from outside. */
const PATIENCE: i32 = 100000;

// Of this instance; instances share the memory but not their globals.
let controlAt: usize = 0;
let scratchAt: usize = 0;
let workers: i32 = 0;
/** Rises when a join of short units had to sleep or this thread had no core, falls with each other one. */
let trouble: i32 = 0;
/** Units that this thread still does alone, and how many it will the next time. */
let alone: i32 = 0;
let nextAlone: i32 = ALONE_UNITS;
/** Looks that this worker takes for the next job before it sleeps. */
let patience: i32 = SPINS;

/** Tells this instance its memory: a zeroed control block, its own scratch, and how many workers serve. */
export function setUp(control: usize, scratch: usize, workerCount: i32): void {
  controlAt = control;
  scratchAt = scratch;
  workers = workerCount;
}

// @ts-ignore: decorator
@inline
export function control(): usize {
  return controlAt;
}

export function runJob(job: Job, parallel: bool): void {
  if (THREADS) {
    if (parallel && workers > 0 && job.units > 1 && !staysAlone(job.units)) return runShared(job);
  }
  const units = job.units;
  for (let unit = 0; unit < units; unit++) runUnit(job, unit, scratchAt);
}

/**
 * Where another program takes a core, the system often puts two threads of one job on the other: each then waits for the
 * other in turn, and one alone is faster. Looks again after a while, which gets longer as long as it is so.
 */
function staysAlone(units: i32): bool {
  if (alone <= 0) return false;
  alone -= units;
  return true;
}

function noteJoin(slept: bool): void {
  if (!slept) {
    trouble = max(0, trouble - 1);
    if (trouble == 0) nextAlone = ALONE_UNITS;
    return;
  }
  trouble += TROUBLE_STEP;
  if (trouble < MOST_TROUBLE) return;
  // One more join like this and it is alone again.
  trouble = MOST_TROUBLE - TROUBLE_STEP;
  alone = nextAlone;
  nextAlone = min(2 * nextAlone, MOST_ALONE_UNITS);
}

function runShared(job: Job): void {
  atomic.store<i32>(controlAt + NEXT, 0);
  atomic.add<i32>(controlAt + PUBLISHED, 1);
  if (atomic.load<i32>(controlAt + ASLEEP) != 0) atomic.notify(controlAt + PUBLISHED, workers);
  const own = claim(job);
  atomic.store<i32>(controlAt + NEXT, CLOSED);
  const together = spinForWorkers();
  if (!together) waitForWorkers();
  // A worker that did nearly all alone had this thread's core meanwhile.
  if (isShort(job)) noteJoin(!together || own * LEAST_SHARE < job.units);
}

function isShort(job: Job): bool {
  return job.kind != KIND_ATTENTION && job.kind != KIND_READ && job.tokens * job.cols <= SHORT_WORK;
}

function spinForWorkers(): bool {
  for (let spins = 0; spins < SPINS; spins++) if (atomic.load<i32>(controlAt + ACTIVE) == 0) return true;
  return false;
}

/**
 * The thread that holds the last unit may not be running: this one sleeps, so that it gets a core. Traps when a worker has
 * trapped, or when none has come out of the job for so long that its thread must be gone.
 */
function waitForWorkers(): void {
  atomic.store<i32>(controlAt + WAITING, 1);
  let before = 0;
  let waits = 0;
  for (let active = atomic.load<i32>(controlAt + ACTIVE); active > 0; active = atomic.load<i32>(controlAt + ACTIVE)) {
    waits = active == before ? waits + 1 : 0;
    before = active;
    if (waits > PATIENCE) atomic.store<i32>(controlAt + FAILED, SILENT);
    if (hasFailed()) unreachable();
    atomic.wait<i32>(controlAt + ACTIVE, active, WAIT_NS);
  }
  atomic.store<i32>(controlAt + WAITING, 0);
}

/** Runs units until none is left; how many. */
function claim(job: Job): i32 {
  let done = 0;
  for (let unit = nextUnit(); unit < job.units; unit = nextUnit()) {
    runUnit(job, unit, scratchAt);
    done++;
  }
  return done;
}

// @ts-ignore: decorator
@inline
function nextUnit(): i32 {
  return atomic.add<i32>(controlAt + NEXT, 1);
}

/** The life of a worker: claims units of every job until its thread is stopped. */
export function serve(control: usize, scratch: usize): void {
  if (!THREADS) return;
  controlAt = control;
  scratchAt = scratch;
  let seen = 0;
  while (true) {
    seen = nextJob(seen);
    help();
  }
}

/** Tells the other threads that this worker's `serve` has trapped. Takes the arguments of `serve`. */
export function abandon(control: usize, _scratch: usize): void {
  if (THREADS) atomic.store<i32>(control + FAILED, TRAPPED);
}

/** 0; 1 when a worker of this instance has trapped, 2 when one is silent: then a job that it was in never ends. */
export function hasFailed(): i32 {
  if (!THREADS || controlAt == 0) return 0;
  return atomic.load<i32>(controlAt + FAILED);
}

/** Units that workers have done so far, of all threads' units of shared jobs. */
export function helpedUnits(): u32 {
  if (!THREADS) return 0;
  return atomic.load<i32>(controlAt + HELPED);
}

/**
 * Takes part in the job that is published. Reads the address of the control block from its global again: in Node 20's
 * baseline compiler a local of `serve` does not survive the atomic.wait, and a job found through it is a wrong one.
 */
function help(): void {
  atomic.add<i32>(controlAt + ACTIVE, 1);
  const units = claim(changetype<Job>(controlAt + 64));
  if (units > 0) atomic.add<i32>(controlAt + HELPED, units);
  atomic.sub<i32>(controlAt + ACTIVE, 1);
  if (atomic.load<i32>(controlAt + WAITING) != 0) atomic.notify(controlAt + ACTIVE, 1);
}

/**
 * Waits until another job than `seen` is published. Looks longer while jobs come in time: a worker that was just woken may
 * stand on the coordinator's core.
 */
function nextJob(seen: i32): i32 {
  for (let spins = 0; spins < patience; spins++) {
    const published = atomic.load<i32>(controlAt + PUBLISHED);
    if (published == seen) continue;
    patience = min(4 * patience, SPINS);
    return published;
  }
  patience = FIRST_SPINS;
  atomic.add<i32>(controlAt + ASLEEP, 1);
  while (atomic.load<i32>(controlAt + PUBLISHED) == seen) atomic.wait<i32>(controlAt + PUBLISHED, seen, -1);
  atomic.sub<i32>(controlAt + ASLEEP, 1);
  return atomic.load<i32>(controlAt + PUBLISHED);
}
