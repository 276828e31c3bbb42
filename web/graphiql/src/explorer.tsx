import { explorerPlugin, type GraphiQLExplorerPluginProps } from "@graphiql/plugin-explorer";
import { useGraphiQL, useOperationsEditorState, useOptimisticState, type GraphiQLPlugin } from "@graphiql/react";
import { useMemo, type ReactNode } from "react";

import { listed, unlisted } from "./lists";

/** The query explorer, for queries with lists in them. */
export const explorer: GraphiQLPlugin = { ...explorerPlugin(), content: Pane };

function Pane() {
  const schema = useGraphiQL((state) => state.schema);
  const [text, edit] = useOptimisticState(useOperationsEditorState());
  const shown = useMemo(() => unlisted(text), [text]);
  const onEdit = (edited: string) => edit(schema ? listed(edited, shown, schema) : edited);
  // The plugin hands all it is given on to the explorer, after its own text and what becomes of it.
  const given = { query: shown.text, onEdit } as GraphiQLExplorerPluginProps;
  return (explorerPlugin(given).content as () => ReactNode)();
}
