// What was noted for a submission becomes one command buffer, with one write of all sizes before it.

import { type Held, USAGE } from "./memory.js";
import { type Dispatch, type Place, type Recording, type Store, scratchOf } from "./record.js";
import { type Kernel, PARAMS_BYTES } from "./shaders.js";

export interface Encoded {
  readonly encoder: GPUCommandEncoder;
  /** The buffer that outputs are mapped from. */
  readonly readback: Held;
}

/** @param queries two timestamps, of the first pass's begin and the last one's end */
export function encode(store: Store, recording: Recording, queries: GPUQuerySet | null): Encoded {
  const { device, maxGroups } = store;
  const { data, readbackBytes } = recording;
  const stride = Math.max(PARAMS_BYTES, device.limits.minUniformBufferOffsetAlignment);
  const runs = passesOf(recording);
  const count = runs.flat().filter(({ kind }) => kind === "dispatch").length;
  const params = scratchOf(store, "params", Math.max(1, count) * stride, USAGE.uniform | USAGE.copyDst);
  const words = scratchOf(store, "data", data.length * 4);
  const readback = scratchOf(store, "readback", readbackBytes, USAGE.mapRead | USAGE.copyDst);
  const real = (place: Place): Held => (place === "data" ? words : place === "readback" ? readback : place);
  const sizes = new Uint32Array((count * stride) / 4);
  const encoder = device.createCommandEncoder();
  const group = paramsGroup(store, params);
  let at = 0;
  const last = runs.findLastIndex(([first]) => first?.kind === "dispatch");
  const first = runs.findIndex(([command]) => command?.kind === "dispatch");
  for (const [i, run] of runs.entries()) {
    if (run[0]?.kind !== "dispatch") {
      for (const command of run) {
        if (command.kind !== "copy") continue;
        encoder.copyBufferToBuffer(
          real(command.from).buffer,
          command.at,
          real(command.to).buffer,
          command.toAt,
          command.bytes,
        );
      }
      continue;
    }
    const pass = encoder.beginComputePass(stamps(queries, i === first, i === last));
    for (const command of run as Dispatch[]) {
      sizes.set(command.params, (at * stride) / 4);
      pass.setPipeline(command.kernel.pipeline);
      pass.setBindGroup(0, group, [at * stride]);
      pass.setBindGroup(1, bufferGroup(store, command.kernel, command.buffers.map(real)));
      const across = Math.min(command.groups, maxGroups);
      pass.dispatchWorkgroups(across, Math.ceil(command.groups / across));
      at++;
    }
    pass.end();
  }
  if (sizes.length > 0) device.queue.writeBuffer(params.buffer, 0, sizes);
  if (data.length > 0) device.queue.writeBuffer(words.buffer, 0, Uint32Array.from(data));
  return { encoder, readback };
}

/** Runs of dispatches, which share a pass, and of copies, which stand between passes. */
function passesOf({ commands }: Recording): Recording["commands"][] {
  const runs: Recording["commands"][] = [];
  for (const command of commands) {
    const run = runs.at(-1);
    if (run?.[0]?.kind === command.kind) run.push(command);
    else runs.push([command]);
  }
  return runs;
}

function stamps(querySet: GPUQuerySet | null, isFirst: boolean, isLast: boolean): GPUComputePassDescriptor {
  if (!querySet || !(isFirst || isLast)) return {};
  const begin = isFirst ? { beginningOfPassWriteIndex: 0 } : {};
  return { timestampWrites: { querySet, ...begin, ...(isLast ? { endOfPassWriteIndex: 1 } : {}) } };
}

function paramsGroup(store: Store, { id, buffer }: Held): GPUBindGroup {
  return kept(store, `params ${id}`, () => ({
    layout: store.kernels.params,
    entries: [{ binding: 0, resource: { buffer, size: PARAMS_BYTES } }],
  }));
}

function bufferGroup(store: Store, kernel: Kernel, buffers: readonly Held[]): GPUBindGroup {
  return kept(store, `${kernel.id} ${buffers.map(({ id }) => id).join(" ")}`, () => ({
    layout: kernel.buffers,
    entries: buffers.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
  }));
}

function kept({ device, bindGroups }: Store, key: string, describe: () => GPUBindGroupDescriptor): GPUBindGroup {
  const group = bindGroups.get(key) ?? device.createBindGroup(describe());
  bindGroups.set(key, group);
  return group;
}
