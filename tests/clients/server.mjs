// The live server of the tests, and what they need to look at it.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, "../..");
export const PYTHON = process.env.PYTHON ?? join(ROOT, ".venv/bin/python");

/** A server: its address, its model's folder, and `change(amount)`, after which only one order is left. */
export async function serve() {
  const server = spawn(PYTHON, ["-m", "tests.clients.serve"], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  const line = await new Promise((found, failed) => {
    createInterface({ input: server.stdout }).once("line", found);
    server.once("exit", (code) => failed(new Error(`The server ended with ${code}.`)));
  });
  const { port, model } = JSON.parse(line);
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    model,
    change: (amount) => server.stdin.write(`${amount}\n`),
    stop: () => server.kill(),
  };
}

/** What a program of node_modules wrote. What it complained of is in the error when it fails. */
export function run(program, options, cwd) {
  return execFileSync(join(HERE, "node_modules/.bin", program), options, { cwd, stdio: "pipe", encoding: "utf8" });
}

/** What the command `headwater` wrote. */
export function headwater(...words) {
  return execFileSync(join(dirname(PYTHON), "headwater"), words, { cwd: ROOT, stdio: "pipe", encoding: "utf8" });
}

/** Work in a folder that is gone afterwards, at first a copy of `copied`; node_modules is found from it. */
export async function inFolder(work, copied) {
  const folder = mkdtempSync(join(HERE, ".made-"));
  try {
    if (copied) cpSync(join(HERE, copied), folder, { recursive: true });
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
