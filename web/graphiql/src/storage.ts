/**
 * The browser's storage with a prefix of our own: every GraphiQL on one host and port would otherwise share its tabs,
 * and Headwater would open with another project's query.
 */
const PREFIX = "headwater:";

export const storage = {
  getItem: (key: string) => localStorage.getItem(PREFIX + key),
  setItem: (key: string, value: string) => localStorage.setItem(PREFIX + key, value),
  removeItem: (key: string) => localStorage.removeItem(PREFIX + key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
  key: (index: number) => ownKeys()[index]?.slice(PREFIX.length) ?? null,
};

function ownKeys(): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}

/** Whether a visit before this one left tabs to go on with. */
export function hasTabs(): boolean {
  return storage.getItem("graphiql:tabState") !== null;
}
