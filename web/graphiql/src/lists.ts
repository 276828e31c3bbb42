import {
  Kind,
  TypeInfo,
  getNullableType,
  isListType,
  parse,
  print,
  visit,
  visitWithTypeInfo,
  type ArgumentNode,
  type DocumentNode,
  type GraphQLSchema,
  type ListValueNode,
  type ObjectFieldNode,
} from "graphql";

/**
 * The explorer knows no lists: it would show `in: ["search"]` as empty, and overwrite it. GraphQL takes a single value
 * for a list of it, so the explorer is shown that; a list of several is shown as a variable, which it lets alone.
 */
export type Unlisted = { text: string; lists: ReadonlyMap<string, ListValueNode> };

const SEVERAL = "several";

export function unlisted(text: string): Unlisted {
  const lists = new Map<string, ListValueNode>();
  const document = parsed(text);
  if (!document || !text.includes("[") || text.includes(`$${SEVERAL}`)) return { text, lists };
  const changed = visit(document, {
    VariableDefinition: () => false, // a default value can't be a variable
    ListValue: {
      leave(node) {
        const [only, ...others] = node.values;
        if (only && others.length === 0) return only;
        const name = `${SEVERAL}${lists.size + 1}`;
        lists.set(name, node);
        return { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } };
      },
    },
  });
  return { text: print(changed), lists };
}

/** What the explorer made of it, with lists where the schema has them. */
export function listed(text: string, { lists }: Unlisted, schema: GraphQLSchema): string {
  const document = parsed(text);
  if (!document) return text;
  const types = new TypeInfo(schema);
  const inList = <N extends ArgumentNode | ObjectFieldNode>(node: N): N | undefined => {
    const single = node.value.kind !== Kind.LIST && node.value.kind !== Kind.VARIABLE && node.value.kind !== Kind.NULL;
    if (!single || !isListType(getNullableType(types.getInputType()))) return undefined;
    return { ...node, value: { kind: Kind.LIST, values: [node.value] } };
  };
  const restored = visit(document, { Variable: (node) => lists.get(node.name.value) });
  return print(visit(restored, visitWithTypeInfo(types, { Argument: inList, ObjectField: inList })));
}

function parsed(text: string): DocumentNode | undefined {
  try {
    return parse(text, { noLocation: true });
  } catch {
    return undefined; // it is being typed
  }
}
