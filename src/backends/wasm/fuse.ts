// Which neighbouring ops of a list run as one job: matmuls of the same x, and the rmsnorm or swiglu before them that makes
// it. Found once for each shape of op list. Every tensor ends with the bits that it has when ops run one after the other.

import type { Op, TensorId } from "../../core/op.js";
import { MOST_PARTS } from "./kernels.js";
import { kindOf, type Product, type Source } from "./product.js";
import { type Place, placeOf, type State } from "./state.js";

/** Ops `first`.. that run together: perhaps a source, then `products` matmuls; 0 products: one op by itself. */
export interface Step {
  readonly first: number;
  readonly source: boolean;
  readonly products: number;
}

/** Plans of the op lists that were seen last: a prompt's, its rest's, a token's. */
export type PlanCache = { ops: readonly Op[]; steps: readonly Step[] }[];
const MOST_PLANS = 8;

/** The steps of an op list, from the cache where a list of the same shape was seen. Clear the cache when weights change their layout. */
export function stepsOf(state: State, cache: PlanCache, ops: readonly Op[]): readonly Step[] {
  for (const plan of cache) if (sameShape(plan.ops, ops)) return plan.steps;
  const steps: Step[] = [];
  for (let i = 0; i < ops.length; ) {
    const step = stepAt(state, ops, i);
    steps.push(step);
    i += Math.max(1, step.products + (step.source ? 1 : 0));
  }
  if (cache.length === MOST_PLANS) cache.pop();
  cache.unshift({ ops: ops.map((op) => ({ ...op })), steps });
  return steps;
}

function stepAt(state: State, ops: readonly Op[], first: number): Step {
  const op = ops[first];
  const maker = op.kind === "rmsnorm" || op.kind === "swiglu" ? op : null;
  const at = maker ? first + 1 : first;
  const head = ops[at];
  if (head?.kind !== "matmul" || placeOf(state, head.weight).blocks) return { first, source: false, products: 0 };
  if (maker && !feeds(state, maker, head)) return { first, source: false, products: 0 };
  const busy = new Set<TensorId>([...inputsOf(head), ...(maker ? inputsOf(maker) : [])]);
  if (busy.has(head.out)) return { first, source: false, products: 0 };
  const outs = new Set<TensorId>([head.out]);
  let products = 1;
  for (let next = ops[at + 1]; products < MOST_PARTS && next?.kind === "matmul"; next = ops[at + products]) {
    if (!sharesWith(state, head, next) || busy.has(next.out) || outs.has(next.out)) break;
    if (inputsOf(next).some((id) => outs.has(id))) break;
    for (const id of inputsOf(next)) busy.add(id);
    outs.add(next.out);
    products++;
  }
  return { first, source: maker !== null, products };
}

/** Whether a product reads just what the op before it makes. */
function feeds(state: State, maker: Source, head: Product): boolean {
  const from = maker.kind === "rmsnorm" ? maker.x : maker.gate;
  const sameWidth = placeOf(state, from).spec.cols === placeOf(state, maker.out).spec.cols;
  return head.x === maker.out && head.xRow === 0 && head.rows === maker.rows && sameWidth;
}

/** Whether a second product wants the activations of the first in the same form. */
function sharesWith(state: State, head: Product, next: Product): boolean {
  if (next.x !== head.x || next.xRow !== head.xRow || next.rows !== head.rows) return false;
  if (next.activations !== head.activations) return false;
  const [a, b]: [Place, Place] = [placeOf(state, head.weight), placeOf(state, next.weight)];
  const sameForm = a.group === b.group && a.offset === b.offset && a.spec.cols === b.spec.cols;
  return !b.blocks && sameForm && kindOf(a, head.activations) === kindOf(b, next.activations);
}

function inputsOf(op: Product | Source): TensorId[] {
  if (op.kind === "swiglu") return [op.gate, op.up];
  if (op.kind === "rmsnorm") return [op.x, op.weight];
  return op.bias === null ? [op.x, op.weight] : [op.x, op.weight, op.bias];
}

/** Whether the plan of one list holds for the other: all that `stepAt` looks at. */
function sameShape(a: readonly Op[], b: readonly Op[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!samePlan(a[i], b[i])) return false;
  return true;
}

function samePlan(a: Op, b: Op): boolean {
  switch (a.kind) {
    case "matmul":
      if (b.kind !== "matmul" || a.xRow !== b.xRow || a.rows !== b.rows || a.activations !== b.activations)
        return false;
      return a.x === b.x && a.weight === b.weight && a.bias === b.bias && a.out === b.out;
    case "rmsnorm":
      return b.kind === "rmsnorm" && a.x === b.x && a.weight === b.weight && a.out === b.out && a.rows === b.rows;
    case "swiglu":
      return b.kind === "swiglu" && a.gate === b.gate && a.up === b.up && a.out === b.out && a.rows === b.rows;
    default:
      return a.kind === b.kind;
  }
}
