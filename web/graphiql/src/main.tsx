import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";
import "./workers";

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createRoot } from "react-dom/client";

import { Brand } from "./brand";
import { exactFetch } from "./exact";
import { firstQuery, type Example } from "./example";
import { explorer } from "./explorer";
import { ENDPOINT, SOCKET } from "./places";
import { hasTabs, storage } from "./storage";

const fetcher = createGraphiQLFetcher({ url: ENDPOINT, subscriptionUrl: SOCKET, fetch: exactFetch });
const plugins = [explorer, HISTORY_PLUGIN];
const roomForExplorer = matchMedia("(width >= 1100px)").matches;

/** GraphiQL, which opens with `first`, or with the tabs of the last visit when there is none. */
function Page({ first }: { first?: Example }) {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      visiblePlugin={roomForExplorer ? explorer : undefined}
      storage={storage}
      initialQuery={first?.query}
      initialVariables={first?.variables}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <Brand />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

const root = document.getElementById("page");
if (!root) throw new Error("The page has no element #page.");
createRoot(root).render(<Page first={hasTabs() ? undefined : await firstQuery()} />);
