// Says what the official AsyncAPI parser thinks of each document named on the command line, as JSON.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
const found = {};
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(await readFile(path, "utf8"), { source: path });
  found[path] = {
    version: document?.version() ?? null,
    channels: document?.channels().all().map((channel) => channel.address()) ?? [],
    messages: document?.messages().all().map((message) => message.name()) ?? [],
    operations: document?.operations().all().map((operation) => operation.id()) ?? [],
    diagnostics: diagnostics.map(({ code, message, path: at, severity }) => ({
      code,
      message,
      at: at.join("."),
      severity,
    })),
  };
}
console.log(JSON.stringify(found));
