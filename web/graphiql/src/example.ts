import { isMacOs } from "@graphiql/react";

import { EXAMPLE } from "./places";

export type Example = { query: string; variables: string };

const KEY = isMacOs ? "Cmd" : "Ctrl";

const WELCOME = `\
# Headwater · 选择字段，即是查询
#   ${KEY}+Enter   run · 运行
#   Ctrl+Space   complete · 补全
#   Explorer     all metrics · 全部指标

`;

/** Needs no metric by name, so it runs on every model; used when the server offers no example of its own. */
const FALLBACK = `\
query WhatCanIAsk {
  catalog {
    metrics {
      name
      label
      description
    }
  }
}
`;

/** The query that the page opens with: the server's own for its model, or the fallback when it has none to offer. */
export async function firstQuery(): Promise<Example> {
  const offered = await offeredByServer().catch(() => undefined);
  const { query, variables } = offered ?? { query: FALLBACK, variables: {} };
  const given = Object.keys(variables ?? {}).length > 0;
  return { query: WELCOME + query, variables: given ? JSON.stringify(variables, null, 2) : "" };
}

async function offeredByServer(): Promise<{ query: string; variables?: Record<string, unknown> } | undefined> {
  const response = await fetch(EXAMPLE, { headers: { accept: "application/json" } });
  if (!response.ok) return undefined;
  const body: unknown = await response.json();
  const usable = typeof body === "object" && body !== null && "query" in body && typeof body.query === "string";
  return usable ? (body as { query: string; variables?: Record<string, unknown> }) : undefined;
}
