// Real clients against a live server: each does what people do with it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { buildClientSchema, buildSchema, getIntrospectionQuery, parse, printSchema } from "graphql";
import { serverAudits } from "graphql-http";
import { request } from "graphql-request";
import { createClient as createEvents } from "graphql-sse";
import { createClient as createSocket } from "graphql-ws";
import { WebSocket as Sockets } from "ws";

import { headwater, inFolder, run, serve } from "./server.mjs";

const GMV = "query Gmv($channel: String) { metrics(where: {channel: {eq: $channel}}) { totals { gmv } } }";
const FOLLOW = "subscription { metrics { totals { gmv } } }";

let server, url, amount;

before(async () => {
  server = await serve();
  url = server.url;
  amount = 70;
});

after(() => server.stop());

function change(to) {
  amount = to;
  server.change(to);
}

function answer(gmv = amount) {
  return { metrics: { totals: { gmv } } };
}

/** The first two results of a subscription, with a change of the data between them. */
async function followed(subscribe) {
  const results = [];
  const next = amount + 1;
  await new Promise((done, failed) => {
    const end = subscribe((result) => {
      results.push(result);
      if (results.length === 1) change(next);
      else setTimeout(() => (end(), done()));
    }, failed);
  });
  return { results, expected: [answer(next - 1), answer(next)] };
}

for (const audit of serverAudits({ url: () => url })) {
  test(`graphql-http ${audit.id}: ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, "ok", result.reason);
  });
}

test("graphql-request", async () => {
  assert.deepEqual(await request(url, GMV), answer());
  await assert.rejects(request(url, "{ nothing }"), /nothing/);
});

test("graphql-ws", async () => {
  const client = createSocket({ url: url.replace("http", "ws"), webSocketImpl: WebSocketOf() });
  const query = await new Promise((next, error) => {
    let found;
    client.subscribe({ query: GMV }, { next: (result) => (found = result), error, complete: () => next(found) });
  });
  assert.deepEqual(query.data, answer());
  const { results, expected } = await followed((next, error) =>
    client.subscribe({ query: FOLLOW }, { next: (result) => next(result.data), error, complete() {} }),
  );
  assert.deepEqual(results, expected);
  await assert.rejects(
    new Promise((next, error) => client.subscribe({ query: "{ nothing }" }, { next, error, complete: next })),
    (errors) => errors[0].extensions.code === "GRAPHQL_VALIDATION_FAILED",
  );
  await client.dispose();
});

test("graphql-sse", async () => {
  const client = createEvents({ url });
  for await (const result of client.iterate({ query: GMV })) assert.deepEqual(result.data, answer());
  const { results, expected } = await followed((next, error) =>
    client.subscribe({ query: FOLLOW }, { next: (result) => next(result.data), error, complete() {} }),
  );
  assert.deepEqual(results, expected);
  client.dispose();
});

test("urql", async () => {
  const events = createEvents({ url });
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchSubscriptions: true,
    exchanges: [fetchExchange],
  });
  assert.deepEqual((await client.query(GMV, {}).toPromise()).data, answer());
  const byGet = new Client({ url, preferGetMethod: "force", exchanges: [fetchExchange] });
  assert.deepEqual((await byGet.query(GMV, {}).toPromise()).data, answer());
  assert.match((await client.query("{ nothing }", {}).toPromise()).error.message, /nothing/);
  const { results, expected } = await followed((next) => {
    const { unsubscribe } = client.subscription(FOLLOW, {}).subscribe((result) => next(result.data));
    return unsubscribe;
  });
  assert.deepEqual(results, expected);
  const forward = new Client({
    url,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (operation) => ({
          subscribe: (sink) => ({ unsubscribe: events.subscribe(operation, sink) }),
        }),
      }),
    ],
  });
  const second = await followed((next) => forward.subscription(FOLLOW, {}).subscribe((one) => next(one.data)).unsubscribe);
  assert.deepEqual(second.results, second.expected);
});

test("Apollo Client", async () => {
  const sha256 = async (text) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Buffer.from(digest).toString("hex");
  };
  const cache = () => new InMemoryCache();
  const plain = new ApolloClient({ link: new HttpLink({ uri: url }), cache: cache() });
  assert.deepEqual(bare((await plain.query({ query: gql(GMV) })).data), answer());
  const persisted = ApolloLink.from([
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
    new HttpLink({ uri: url }),
  ]);
  for (const name of ["First", "Second", "First"]) {
    const client = new ApolloClient({ link: persisted, cache: cache() });
    const query = gql(GMV.replace("query Gmv", `query ${name}`));
    assert.deepEqual(bare((await client.query({ query, fetchPolicy: "no-cache" })).data), answer());
  }
  const socket = createSocket({ url: url.replace("http", "ws"), webSocketImpl: WebSocketOf() });
  const following = new ApolloClient({ link: new GraphQLWsLink(socket), cache: cache() });
  const { results, expected } = await followed((next, failed) => {
    const subscription = following
      .subscribe({ query: gql(FOLLOW), fetchPolicy: "no-cache" })
      .subscribe({ next: (result) => next(bare(result.data)), error: failed });
    return () => subscription.unsubscribe();
  });
  assert.deepEqual(results, expected);
  await socket.dispose();
});

test("fetch, compressed", async () => {
  const query = `{ ${Array.from({ length: 40 }, (_, n) => `all${n}: metrics { totals { gmv } }`).join(" ")} }`;
  const response = await fetch(`${url}?${new URLSearchParams({ query })}`);
  assert.equal(response.headers.get("content-encoding"), "gzip");
  assert.deepEqual((await response.json()).data.all39, answer().metrics);
});

test("GraphQL Code Generator, and tsc --strict", async () => {
  const { data } = await (
    await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: getIntrospectionQuery() }),
    })
  ).json();
  buildClientSchema(data);
  const sdl = headwater("schema", "--model", server.model, "--locale", "zh");
  assert.match(sdl, /支付金额/);
  assert.equal(await printed("zh-CN"), sdl);
  assert.equal(bareOf(sdl), bareOf(await printed("en")));
  const rows = `query Rows($range: TimeRange) {
    metrics(timeRange: $range) { rows { time(grain: DAY) channel gmv } totals { gmv } meta { dataVersion } }
  }`;
  const scalars = { Long: "number", Decimal: "number", Date: "string", DateTime: "string", Time: "string", Claims: "object" };
  const code = (name, plugin) =>
    codegen({
      filename: `${name}.ts`,
      schema: parse(sdl),
      documents: [{ location: "rows.graphql", document: parse(rows) }],
      config: { scalars: { ...scalars, Value: "string | number | boolean" }, strictScalars: true },
      plugins: [{ [name]: {} }],
      pluginMap: { [name]: plugin },
    });
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "types.ts"), await code("types", typescript));
    writeFileSync(join(folder, "operations.ts"), await code("operations", operations));
    const use = `import type { Row } from "./types";
      import type { RowsQuery } from "./operations";
      export const gmvOf = (row: Row): number | null | undefined => row.gmv;
      export const sum = (answer: RowsQuery): number =>
        (answer.metrics?.rows ?? []).reduce((total, row) => total + (row.gmv ?? 0), 0);`;
    const check = ["--strict", "--noEmit", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "use.ts"];
    writeFileSync(join(folder, "use.ts"), use);
    run("tsc", check, folder);
    writeFileSync(join(folder, "use.ts"), use.replace("row.gmv ?? 0", "row.channel ?? 0"));
    assert.throws(() => run("tsc", check, folder));
  });
});

/** The schema as the server prints it for readers of a language. */
async function printed(language) {
  return (await fetch(url.replace("/graphql", "/schema.graphql"), { headers: { "accept-language": language } })).text();
}

/** A schema without its descriptions. */
function bareOf(sdl) {
  return printSchema(buildSchema(sdl.replaceAll(/"""[^]*?"""/g, "")));
}

/** Without the names of types that Apollo asks for. */
function bare(data) {
  return JSON.parse(JSON.stringify(data, (key, value) => (key === "__typename" ? undefined : value)));
}

/** A WebSocket: Node's own where it has one, else a package's. */
function WebSocketOf() {
  return globalThis.WebSocket ?? Sockets;
}
