// Topology files: the shipped ones load, a user's own may be inline, and every fault names its field.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";
import { loadDefaultHost, loadTopology, SHIPPED_TOPOLOGIES } from "../../src/placement/topology.js";
import { nodePlatform } from "../../src/platform/node.js";

const platform = nodePlatform();
const device = { readAdderNs: 100, writeAdderNs: 100, readGBps: 20, mixedGBps: 30, writeGBps: 20, queueNs: 50 };
const far = { kind: "far", name: "cxl0", path: [], capacityBytes: 1e9, ...device };
const local = { kind: "local", name: "dram", capacityBytes: 1e9 };
const file = (fields: object) => JSON.stringify({ schemaVersion: 1, name: "mine", pools: [local, far], ...fields });
const load = (text: string) =>
  loadTopology({ packagePath: platform.packagePath, readText: async () => text }, "my.json");

async function refuses(text: string, field: string, problem: RegExp): Promise<void> {
  try {
    await load(text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.is(error.source, "my.json");
    assert.is(error.field, field);
    assert.match(error.message, problem);
    return;
  }
  assert.unreachable(`${field} was accepted`);
}

test("the shipped topologies load, and each figure says where it comes from", async () => {
  for (const name of SHIPPED_TOPOLOGIES) {
    const topology = await loadTopology(platform, name);
    assert.is(topology.name, name);
    for (const origin of Object.values(topology.origins)) assert.ok(origin.note.length > 3);
  }
  const { pools, edges, origins } = await loadTopology(platform, "cxl-switch");
  assert.is(pools.length, 3);
  assert.equal(
    edges.map((edge) => edge.name),
    ["uplink"],
  );
  assert.is(origins["pools[1].readAdderNs"].value, 154);
  assert.is(origins["edges[0].latencyNs"].source, "derived");
});

test("the frozen host has a curve that rises and a hash", async () => {
  const host = await loadDefaultHost(platform);
  host.curve.forEach((point, i) => {
    assert.ok(i === 0 || point.bandwidthGBps > host.curve[i - 1].bandwidthGBps);
    assert.ok(i === 0 || point.addedNs >= host.curve[i - 1].addedNs);
  });
  assert.match(host.hash, /^[0-9a-f]{16}$/);
});

test("a plain number counts as assumed", async () => {
  const topology = await load(file({}));
  const pool = topology.pools[1];
  assert.is(pool.kind === "far" && pool.readAdderNs, 100);
  assert.is(topology.origins["pools[1].readAdderNs"].source, "assumed");
});

test("unknown names list what there is", async () => {
  try {
    await loadTopology(platform, "cxl-2hop");
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof InputError && /cxl-switch/.test(error.message));
  }
});

test("faults name the path of the field", async () => {
  const pool = (fields: object) => file({ pools: [local, { ...far, ...fields }] });
  await refuses("{", "", /is not JSON/);
  await refuses(file({ pools: [] }), "pools", /is empty/);
  await refuses(file({ links: [] }), "links", /./);
  await refuses(pool({ readAdderNs: -5 }), "pools[1].readAdderNs", /0 or more/);
  await refuses(pool({ readAdderNs: { value: 5, source: "guessed", note: "" } }), "pools[1].readAdderNs.source", /./);
  await refuses(pool({ readGBps: 0 }), "pools[1].readGBps", /above 0/);
  await refuses(pool({ speed: 1 }), "pools[1].speed", /./);
  await refuses(pool({ mixedGBps: 41 }), "pools[1].mixedGBps", /more than twice/);
  await refuses(pool({ name: "dram" }), "pools[1].name", /stands twice/);
  await refuses(pool({ path: ["up"] }), "pools[1].path[0]", /edge up is not listed/);
  await refuses(file({ pools: [far] }), "pools[0].kind", /is not local/);
  await refuses(file({ pools: [local, local] }), "pools[1].kind", /second local/);
  const points = {
    source: "measured",
    note: "x",
    points: [
      [5, 10],
      [4, 20],
    ],
  };
  await refuses(pool({ curve: points }), "pools[1].curve.points", /must rise/);
  const edge = { name: "up", latencyNs: 1, bandwidthGBps: 10 };
  await refuses(file({ edges: [edge], pools: [local, { ...far, path: ["up", "up"] }] }), "pools[1].path[1]", /twice/);
  await refuses(file({ edges: [{ ...edge, bandwidthGBps: "10 GB/s" }] }), "edges[0].bandwidthGBps", /./);
});

test("an unknown device names the field that asked for it", async () => {
  const pools = [local, { kind: "far", name: "a", path: [], device: "nope" }];
  await refuses(file({ pools }), "pools[1].device", /nope is no shipped device/);
});

test.run();
