import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Plugin } from "vite";

type Locked = { version: string; license?: string; dev?: boolean; optional?: boolean };

/** Adds LICENSES.txt to the build: the notice of every package that may be part of it. */
export function licenses(): Plugin {
  return {
    name: "licenses",
    apply: "build",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: notices() });
    },
  };
}

function notices(): string {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf-8")) as { packages: Record<string, Locked> };
  const shipped = Object.entries(lock.packages).filter(([path, locked]) => path !== "" && !locked.dev);
  const sections = shipped.map(([path, locked]) => {
    const name = path.replace(/^.*node_modules\//, "");
    return `${name} ${locked.version} (${locked.license ?? "see its text"})\n\n${licenceText(path)}`;
  });
  return `GraphiQL and the packages it is built from.\n\n${sections.join(`\n${"-".repeat(80)}\n\n`)}`;
}

function licenceText(folder: string): string {
  if (!existsSync(folder)) return "";
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
  return files.map((file) => `${readFileSync(join(folder, file), "utf-8").trim()}\n`).join("\n");
}
