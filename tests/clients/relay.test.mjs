// Relay: its compiler reads our schema, its types hold, its runtime asks and keeps.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { HERE, ROOT, headwater, inFolder, run, serve } from "./server.mjs";

const TSC = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--rootDir", ".", "--outDir", "out"];

let server;

before(async () => (server = await serve()));
after(() => server.stop());

/** Compiled by relay-compiler, in a folder of its own. */
function compile(folder, sdl) {
  copyFileSync(join(HERE, "relay/relay.config.json"), join(folder, "relay.config.json"));
  writeFileSync(join(folder, "schema.graphql"), sdl);
  writeFileSync(join(folder, "documents.json"), "{}");
  run("relay-compiler", [], folder);
  return JSON.parse(readFileSync(join(folder, "documents.json"), "utf8"));
}

async function post(body) {
  const headers = { "content-type": "application/json" };
  return (await fetch(server.url, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

/** By the hash that the compiler made; with the text where that is not known yet. */
async function ask({ id, text }, variables, sent) {
  const short = { documentId: id, variables };
  sent.push(short);
  const answer = await post(short);
  if (answer.errors?.[0].extensions.code !== "PERSISTED_QUERY_NOT_FOUND") return answer;
  sent.push({ ...short, query: text });
  return post(sent.at(-1));
}

test("a question of every kind compiles", async () => {
  const sdl = readFileSync(join(ROOT, "tests/golden/schema.graphql"), "utf8");
  await inFolder((folder) => {
    assert.equal(Object.keys(compile(folder, sdl)).length, 2);
    const types = readFileSync(join(folder, "__generated__/documentsEveryQuery.graphql.ts"), "utf8");
    for (const type of ["readonly gmv: number | null", "readonly daySeen: string | null", "readonly isNew: boolean | null"]) {
      assert.ok(types.includes(type), type);
    }
    assert.match(types, /export type Platform|platform\?: StringFilter/);
  }, "relay/every");
});

test("a page", async () => {
  const every = await inFolder(async (folder) => {
    const documents = compile(folder, headwater("schema", "--model", server.model));
    run("tsc", [...TSC, "page.ts", "documents.ts"], folder);
    const page = readFileSync(join(folder, "page.ts"), "utf8");
    for (const [right, wrong] of [["gmv: gmv ?? 0", "gmv: gmv ?? null"], ['["GMV"]', '["GVM"]'], ["one.time", "one.gmv"]]) {
      assert.ok(page.includes(right));
      writeFileSync(join(folder, "page.ts"), page.replace(right, wrong));
      assert.throws(() => run("tsc", [...TSC, "--noEmit", "page.ts"], folder), wrong);
    }
    await shows(createRequire(join(folder, "out/page.js"))("./page.js"), documents);
    return documents;
  }, "relay/live");
  for (const [hash, text] of Object.entries(every)) {
    assert.equal(createHash("sha256").update(text).digest("hex"), hash, "as a manifest of trusted documents has it");
  }
});

/** What the page shows. */
async function shows(page, documents) {
  const sent = [];
  const open = () => page.open(({ id }, variables) => ask({ id, text: documents[id] }, variables, sent));
  const sales = { range: { dates: { from: "2026-11-01", to: "2026-11-02" } }, grain: "DAY", order: [{ by: "gmv" }] };
  const expected = {
    rows: [
      { day: "2026-11-01", channel: "ads", gmv: 10, growth: 10 },
      { day: "2026-11-02", channel: "ads", gmv: 20, growth: 10 },
      { day: "2026-11-02", channel: "公众号", gmv: 40, growth: 40 },
    ],
    total: 70,
    through: "2026-11-01",
  };
  assert.deepEqual(await page.sales(open(), sales), expected);
  assert.deepEqual(await page.sales(open(), sales), expected);
  assert.deepEqual(sent.map((body) => "query" in body), [false, true, false]);
  const tiles = {
    byChannel: { rows: [{ channel: "ads", gmv: 30 }, { channel: "公众号", gmv: 40 }] },
    byDay: { rows: [{ time: "2026-11-01", gmv: 10 }, { time: "2026-11-02", gmv: 60 }] },
  };
  const kept = open();
  assert.deepEqual(await page.tiles(kept), tiles);
  await page.sales(kept, { grain: "MONTH" });
  assert.deepEqual(page.kept(kept), tiles);
  const { keys, cells } = await page.columns(kept);
  assert.deepEqual({ keys, cells }, { keys: ["channel", "gmv"], cells: [["ads", 30], ["公众号", 40]] });
}
