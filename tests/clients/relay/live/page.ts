// What the page does with the answers, by the types that Relay's compiler made.
import {
  Environment,
  Network,
  RecordSource,
  Store,
  createOperationDescriptor,
  fetchQuery,
  readInlineData,
  type FetchFunction,
  type GraphQLTaggedNode,
  type OperationType,
} from "relay-runtime";

import Columns, { type documentsColumnsQuery } from "./__generated__/documentsColumnsQuery.graphql.js";
import Sales, { type documentsSalesQuery } from "./__generated__/documentsSalesQuery.graphql.js";
import Tiles, { type documentsTilesQuery } from "./__generated__/documentsTilesQuery.graphql.js";
import SalesOfRow, { type documents_sales$key } from "./__generated__/documents_sales.graphql.js";

export const open = (ask: FetchFunction): Environment =>
  new Environment({
    network: Network.create(ask),
    store: new Store(new RecordSource()),
    getDataID: (value, type) => (type === "Row" ? undefined : value.id),
  });

async function asked<T extends OperationType>(page: Environment, node: GraphQLTaggedNode, variables: T["variables"]) {
  return (await fetchQuery<T>(page, node, variables).toPromise()) as T["response"];
}

/** One row: what Relay hands out only to the fragment that asked for it. */
function row(key: documents_sales$key): { channel: string; gmv: number; growth: number } {
  const { channel, gmv, before } = readInlineData<documents_sales$key>(SalesOfRow, key);
  return { channel: channel ?? "(not set)", gmv: gmv ?? 0, growth: (gmv ?? 0) - (before ?? 0) };
}

export async function sales(page: Environment, variables: documentsSalesQuery["variables"]) {
  const { metrics } = await asked<documentsSalesQuery>(page, Sales, variables);
  const rows = (metrics?.rows ?? []).map((one) => ({ day: one.time ?? "", ...row(one) }));
  const total: number | null | undefined = metrics?.totals.gmv;
  return { rows, total, through: metrics?.meta.dataThrough };
}

export const tiles = (page: Environment) => asked<documentsTilesQuery>(page, Tiles, {});

export async function columns(page: Environment) {
  const { table, viewer } = await asked<documentsColumnsQuery>(page, Columns, { metrics: ["GMV"], dimensions: ["CHANNEL"] });
  const cells: ReadonlyArray<ReadonlyArray<string | number | boolean | null | undefined>> = table?.rows ?? [];
  return { keys: table?.columns.map((column) => column.key), cells, viewer };
}

/** What a component of `tiles` shows that renders again, from what is kept. */
export function kept(page: Environment): documentsTilesQuery["response"] {
  return page.lookup(createOperationDescriptor(Tiles, {}).fragment).data as documentsTilesQuery["response"];
}
