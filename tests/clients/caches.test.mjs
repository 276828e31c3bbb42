// Clients that keep answers by field show what was asked, when they are told what docs/clients.md tells.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";

import { ROOT, inFolder, serve } from "./server.mjs";

const CHANNELS = [{ channel: "ads", gmv: 30 }, { channel: "公众号", gmv: 40 }];
const DAYS = [{ time: "2026-11-01", gmv: 10 }, { time: "2026-11-02", gmv: 60 }];
const BY_CHANNEL = gql`{ metrics { rows { channel gmv } pageInfo { totalCount } } }`;
const BY_DAY = gql`{ metrics { rows { time(grain: DAY) gmv } pageInfo { totalCount } } }`;
const BY_BOTH = gql`
  query Both($days: Boolean!) { metrics { first: rows { ...Of } second: rows { channel gmv } } }
  fragment Of on Row { channel @skip(if: $days) time(grain: DAY) @include(if: $days) gmv }
`;

let server, kept;

before(async () => {
  server = await serve();
  const shown = readFileSync(join(ROOT, "docs/clients.md"), "utf8").match(/^```js\n(import [^]*?)^```$/m)[1];
  kept = await inFolder(async (folder) => {
    writeFileSync(join(folder, "cache.mjs"), shown);
    return (await import(pathToFileURL(join(folder, "cache.mjs")))).cache;
  });
});
after(() => server.stop());

/** Whether a client with this cache shows what was asked, also after it has asked something else. */
async function isRight(cache) {
  const client = new ApolloClient({ link: new HttpLink({ uri: server.url }), cache });
  const found = [];
  const show = async (query, variables) => found.push((await client.query({ query, variables })).data.metrics);
  for (const days of [true, false]) await show(BY_BOTH, { days });
  for (const query of [BY_CHANNEL, BY_DAY, BY_CHANNEL]) await show(query);
  const [both, channels, ...pages] = JSON.parse(JSON.stringify(found, (key, value) => (key === "__typename" ? undefined : value)));
  try {
    assert.deepEqual(both, { first: DAYS, second: CHANNELS });
    assert.deepEqual(channels, { first: CHANNELS, second: CHANNELS });
    assert.deepEqual(pages.map((page) => page.rows), [CHANNELS, DAYS, CHANNELS]);
    return true;
  } catch (error) {
    if (error.code !== "ERR_ASSERTION") throw error;
    return false;
  }
}

test("Apollo Client's cache, told what the docs tell", async () => {
  assert.equal(await isRight(kept), true);
});

test("Apollo Client's cache takes no dimension `id` for a row's identity", () => {
  const query = gql`{ metrics(key: "ids") { rows { id gmv } } }`;
  const data = { metrics: { __typename: "Metrics", rows: [1, 2].map((gmv) => ({ __typename: "Row", id: "a", gmv })) } };
  kept.writeQuery({ query, data });
  assert.deepEqual(kept.readQuery({ query }), data);
});

test("Apollo Client's cache would mix them otherwise", async () => {
  assert.equal(await isRight(new InMemoryCache()), false);
});
