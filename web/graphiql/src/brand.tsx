import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";

import { firstQuery } from "./example";
import { SCHEMA } from "./places";

/** The corner of the page: its name, the example again in a new tab, and the schema as text. */
export function Brand() {
  return (
    <span className="brand">
      <strong>Headwater</strong>
      <ExampleButton />
      <a href={SCHEMA} target="_blank" rel="noreferrer">
        schema.graphql
      </a>
    </span>
  );
}

function ExampleButton() {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  async function open() {
    const { query, variables } = await firstQuery();
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
  }
  return (
    <button type="button" onClick={open}>
      example 示例
    </button>
  );
}
