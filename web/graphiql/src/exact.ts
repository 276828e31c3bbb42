/**
 * JSON in which every number keeps the digits the server sent. A plain JSON.parse turns a 64-bit count or a long
 * decimal into the nearest double, and the page would then show a figure that nobody computed.
 */
type RawJSON = { rawJSON?: (text: string) => unknown };
type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

const { rawJSON } = JSON as RawJSON;

const keepDigits: Reviver = (_key, value, context) => {
  const source = context?.source;
  const exact = typeof value !== "number" || source === undefined || String(value) === source;
  return exact || !rawJSON ? value : rawJSON(source);
};

export function parseExact(text: string): unknown {
  return JSON.parse(text, keepDigits);
}

/** `fetch`, whose answers' `json()` is exact. */
export const exactFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  response.json = async () => parseExact(await response.text());
  return response;
};
