// What a scenario asks of its models, tried before this machine is probed and any weight is read: a bad file, a test
// longer than the model's context, a placement that does not fit cost no time.

import type { ModelConfig } from "../../core/config.js";
import { InputError } from "../../core/errors.js";
import type { TensorSpec } from "../../core/op.js";
import type { Platform } from "../../core/ports.js";
import { parseTest, type QuantName, type Scenario, type Workload } from "../../core/scenario.js";
import { buildGraph } from "../../model/graph.js";
import { planOf } from "../../model/plan.js";
import { llava15Decoder } from "../../model/shapes.js";
import { placeTensors } from "../../placement/place.js";
import { loadTopology } from "../../placement/topology.js";
import { roomFor } from "../../run/tests.js";
import type { OpenModels } from "./subjects.js";

/** Opens every named model once. Throws InputError for a file that is none. */
export async function checkModels(scenario: Scenario, subjects: OpenModels): Promise<void> {
  for (const { model } of scenario.workloads) if (model.kind !== "synthetic") await subjects.model(model);
}

/** Throws InputError for a test that the model has no room for, and for a placement that a topology cannot hold. */
export async function checkFit(platform: Platform, scenario: Scenario, subjects: OpenModels): Promise<void> {
  const topologies = await Promise.all(scenario.topologies.map((name) => loadTopology(platform, name)));
  for (const workload of scenario.workloads) {
    checkTests(workload, (await configOf(workload, subjects)).decoder.maxContext);
    for (const quant of workload.quants) {
      const specs = await tensorsOf(workload, quant, subjects);
      for (const topology of topologies) placeTensors(topology, specs, scenario.placement);
    }
  }
}

function checkTests({ tests }: Workload, maxContext: number): void {
  for (const name of tests) {
    const spec = parseTest(name);
    if (!spec) continue;
    const { positions } = roomFor([spec]);
    if (positions <= maxContext) continue;
    const problem = `${name} needs a context of ${positions} positions, the model has ${maxContext}`;
    throw new InputError("nibblemark bench", "--test", problem, "Name a shorter test");
  }
}

async function configOf({ model }: Workload, subjects: OpenModels): Promise<ModelConfig> {
  if (model.kind !== "synthetic") return (await subjects.model(model)).config;
  return { architecture: "llama", decoder: llava15Decoder(model.layers) };
}

async function tensorsOf(workload: Workload, quant: QuantName, subjects: OpenModels): Promise<readonly TensorSpec[]> {
  const config = await configOf(workload, subjects);
  const { model, tests, activations, kv } = workload;
  const file = model.kind === "synthetic" ? null : await subjects.model(model);
  const { positions } = roomFor(tests.flatMap((name) => parseTest(name) ?? []));
  return buildGraph(config, { plan: planOf(quant, file?.stored, kv ?? file?.kv), activations, context: positions })
    .tensors;
}
