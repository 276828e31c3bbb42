/**
 * Where things are, worked out from the address that the page was opened at (…/graphql), so that it also works
 * behind a proxy that serves Headwater under a prefix.
 */
const page = new URL(location.pathname, location.origin);

export const ENDPOINT = page.href;
export const EXAMPLE = `${page.href.replace(/\/$/, "")}/example`;
export const SCHEMA = new URL("schema.graphql", page).href;
export const SOCKET = page.href.replace(/^http/, "ws");
