// What a training process holds: parameters, gradients and both moments as flat arrays in the trainer's memory.
// A rate of 0 freezes a parameter: no gradient is computed for its matrix and no update is made.

import { InputError } from "../core/errors.js";
import type { Address, Arena, TrainKernels, TrainModule } from "./kernels.js";
import type { Parameter, ParameterTable } from "./parameters.js";

/** Learning-rate multiplier of a parameter; 0 freezes it. */
export type RateOf = (name: string) => number;

export interface TrainState {
  readonly kernels: TrainKernels;
  readonly arena: Arena;
  readonly table: ParameterTable;
  /** Each [table.floats]. */
  readonly values: Address;
  readonly gradients: Address;
  readonly firstMoments: Address;
  readonly secondMoments: Address;
}

/** A parameter (or several side by side) as kernels need it. */
export interface Weight {
  readonly value: Address;
  readonly gradient: Address;
  readonly isTrained: boolean;
}

export function openState(module: TrainModule, table: ParameterTable): TrainState {
  const { kernels, arena } = module;
  const [values, gradients, firstMoments, secondMoments] = [0, 1, 2, 3].map(() => {
    const address = arena.alloc(table.floats);
    kernels.zero(address, table.floats);
    return address;
  }) as [Address, Address, Address, Address];
  return { kernels, arena, table, values, gradients, firstMoments, secondMoments };
}

/** Fills all parameters with their seeded start values; the stream of a parameter is its place in the table. */
export function startValues(state: TrainState, seed: number): void {
  state.table.parameters.forEach(({ offset, count, start }, stream) => {
    const address = state.values + offset * 4;
    if (start.kind === "constant") state.kernels.fill(address, start.value, count);
    else state.kernels.normal(address, count, start.deviation, seed, stream);
  });
}

export function zeroGradients(state: TrainState): void {
  state.kernels.zero(state.gradients, state.table.floats);
}

export function zeroMoments(state: TrainState): void {
  state.kernels.zero(state.firstMoments, state.table.floats);
  state.kernels.zero(state.secondMoments, state.table.floats);
}

/** Looks up parameters that must lie side by side without padding and are applied as one. */
export function weight(state: TrainState, rateOf: RateOf, ...names: readonly string[]): Weight {
  const found = names.map((name) => findParameter(state.table, name));
  found.slice(1).forEach((parameter, i) => {
    if (parameter.offset !== found[i].offset + found[i].count) {
      throw new InputError(
        parameter.name,
        "shape",
        "cannot be joined with its neighbour",
        "Use sizes that are multiples of 16.",
      );
    }
  });
  return {
    value: state.values + found[0].offset * 4,
    gradient: state.gradients + found[0].offset * 4,
    isTrained: found.some(({ name }) => rateOf(name) !== 0),
  };
}

export function findParameter(table: ParameterTable, name: string): Parameter {
  const parameter = table.byName.get(name);
  if (!parameter)
    throw new InputError(name, "", "is no parameter of this model", "Check the name against parameterTable.");
  return parameter;
}
