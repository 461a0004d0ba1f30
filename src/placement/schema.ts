// The shape of profile files, and the typed error that names the field when a file does not have it. A figure is a plain
// number or {value, source, note}; a plain number counts as assumed by the file's author.

import * as v from "valibot";
import { InputError } from "../core/errors.js";

const number = v.number("must be a number, in the unit that ends its name");
const positive = v.pipe(number, v.finite("must be finite"), v.gtValue(0, "must be above 0"));
const notNegative = v.pipe(number, v.finite("must be finite"), v.minValue(0, "must be 0 or more"));
// Beyond these a figure is in another unit than its name says.
const ns = v.pipe(notNegative, v.maxValue(1e6, "is over a millisecond; the unit is ns"));
const gbps = v.pipe(positive, v.maxValue(1e5, "is over 100 TB/s; the unit is 1e9 bytes a second"));
const load = v.pipe(notNegative, v.maxValue(1e5, "is over 100 TB/s; the unit is 1e9 bytes a second"));
const bytes = v.pipe(positive, v.maxValue(2 ** 60, "is over an exbibyte; the unit is bytes"));
const name = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, "must be a name such as cxl0"));

function figure(number: v.GenericSchema<number>) {
  const sourced = v.strictObject({
    value: number,
    source: v.picklist(["measured", "derived", "assumed"]),
    note: v.string(),
  });
  const plain = v.pipe(
    number,
    v.transform((value) => ({ value, source: "assumed" as const, note: "plain number in the file" })),
  );
  return v.lazy((input) => (typeof input === "number" ? plain : sourced));
}

const curvePoints = v.pipe(
  v.array(v.tuple([positive, notNegative])),
  v.maxLength(32, "has more than 32 points; keep 32"),
  v.check(
    (points) => points.every(([x], i) => i === 0 || x > points[i - 1][0]),
    "bandwidth must rise from point to point",
  ),
  v.check((points) => points.every(([, y], i) => i === 0 || y >= points[i - 1][1]), "latency must not fall"),
);
const mixCurve = v.strictObject({
  writeShare: v.pipe(
    number,
    v.gtValue(0, "must be above 0: reads only is `curve`"),
    v.maxValue(1, "must be at most 1"),
  ),
  source: v.picklist(["measured", "derived", "assumed"]),
  note: v.string(),
  points: v.pipe(curvePoints, v.minLength(2, "needs two points or more")),
});
const mixCurves = v.pipe(
  v.array(mixCurve),
  v.maxLength(3, "has more than 3 curves besides `curve`"),
  v.check(
    (curves) => curves.every((c, i) => i === 0 || c.writeShare > curves[i - 1].writeShare),
    "writeShare must rise",
  ),
);
const curve = v.strictObject({
  source: v.picklist(["measured", "derived", "assumed"]),
  note: v.string(),
  points: curvePoints,
});

/** Fields that every memory has. `mixed` above twice a pure rate would make an epoch faster by moving more bytes. */
const memory = {
  readGBps: figure(gbps),
  mixedGBps: figure(gbps),
  writeGBps: figure(gbps),
  queueNs: figure(ns),
  curve: v.optional(curve, { source: "assumed", note: "none: one-parameter queue", points: [] }),
  mixCurves: v.optional(mixCurves, []),
};

const device = {
  capacityBytes: figure(bytes),
  readAdderNs: figure(ns),
  writeAdderNs: figure(ns),
  ...memory,
};

export const DeviceFile = v.strictObject({
  schemaVersion: v.literal(1),
  name,
  description: v.string(),
  credit: v.string(),
  ...device,
});

const path = v.array(v.string());
const localPool = v.strictObject({ kind: v.literal("local"), name, capacityBytes: figure(bytes) });
const inlinePool = v.strictObject({ kind: v.literal("far"), name, path, ...device });
const devicePool = v.strictObject({
  kind: v.literal("far"),
  name,
  path,
  device: v.string(),
  capacityBytes: v.optional(figure(bytes)),
});

const pool = v.lazy((input) => {
  const given = (typeof input === "object" && input !== null ? input : {}) as { kind?: unknown };
  if (given.kind === "local") return localPool;
  return "device" in given ? devicePool : inlinePool;
});

export const TopologyFile = v.strictObject({
  schemaVersion: v.literal(1),
  name: v.string(),
  description: v.optional(v.string(), ""),
  pools: v.pipe(
    v.array(pool),
    v.minLength(1, "is empty; give at least the local pool"),
    v.maxLength(16, "has more than 16 pools"),
  ),
  edges: v.optional(
    v.pipe(
      v.array(v.strictObject({ name, latencyNs: figure(ns), bandwidthGBps: figure(gbps) })),
      v.maxLength(32, "has more than 32 edges"),
    ),
    [],
  ),
  loads: v.optional(
    v.pipe(
      v.array(v.strictObject({ host: name, pool: name, readGBps: load, writeGBps: load, edges: v.optional(path, []) })),
      v.maxLength(32, "has more than 32 loads"),
    ),
    [],
  ),
  interleaveSets: v.optional(
    v.array(
      v.strictObject({
        name,
        pools: v.pipe(v.array(name), v.minLength(2, "needs two pools or more")),
        granularityBytes: v.pipe(number, v.integer("must be whole"), v.minValue(64, "must be a line (64) or more")),
      }),
    ),
    [],
  ),
  defaultPlacement: v.optional(v.array(v.string()), []),
});

const lines = figure(v.pipe(positive, v.minValue(1, "must be at least 1")));
export const HostFile = v.strictObject({
  schemaVersion: v.literal(1),
  name: v.string(),
  description: v.string(),
  frozen: v.boolean(),
  credit: v.string(),
  idleNs: figure(v.pipe(ns, v.gtValue(0, "must be above 0"))),
  ...memory,
  llcBytes: figure(notNegative),
  linesInFlight: v.strictObject({ chase: lines, stride: lines, stream: lines }),
  computeRates: v.strictObject({
    "int4-int8": figure(positive),
    "int4-f32": figure(positive),
    int8: figure(positive),
    f32: figure(positive),
    attention: figure(positive),
    elementwise: figure(positive),
  }),
});

export type DeviceFields = v.InferOutput<typeof DeviceFile>;
export type TopologyFields = v.InferOutput<typeof TopologyFile>;

/** `pools[1].readAdderNs` */
function fieldPath(items: readonly { key: unknown }[]): string {
  return items.reduce(
    (at, { key }) => (typeof key === "number" ? `${at}[${key}]` : at ? `${at}.${key}` : `${key}`),
    "",
  );
}

/** Parses JSON text against a schema. Throws InputError with the file, the path of the field and what is wrong with it. */
export function parseFile<S extends v.GenericSchema>(schema: S, source: string, text: string): v.InferOutput<S> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new InputError(source, "", `is not JSON (${(error as Error).message})`, "Correct the file.");
  }
  const result = v.safeParse(schema, data);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const remedy = "Correct the field; the shipped files in profiles/ show the format.";
  throw new InputError(source, fieldPath(issue.path ?? []), issue.message, remedy);
}
