// A gateway in JavaScript, for Node 18 or newer, without any package: one photograph in, its verdict on standard output,
// and the answer of its check where that is over by then.
//
//     REDIS_URL=redis://USER:PASSWORD@HOST:6379/0 IMAGES=/srv/images OUTBOX=/var/lib/gateway \
//         node examples/gateway.mjs --machine mill-3 --head H12 --operation op-0815 --pocket 7 --of 30 PHOTOGRAPH
//
// Without a PHOTOGRAPH it sends what still waits in OUTBOX. The rules that it keeps are in docs/integration.md: the image
// before the event, the event on disk until it is answered, the same event again while no answer comes.

import { createHash, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync }
  from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(["machine", "head", "operation", "pocket", "of", "check"].map((name) => [name, { type: "string" }])),
});
const { REDIS_URL, IMAGES, OUTBOX, STATION = "gateway-1" } = process.env;
if (!REDIS_URL || !IMAGES || !OUTBOX) {
  console.error("REDIS_URL, IMAGES (the image store's folder) and OUTBOX (a folder of this machine) must be set");
  process.exit(2);
}
const redisUrl = new URL(REDIS_URL);
const CALL_TIMEOUT = 10_000; // milliseconds; a Redis that hangs is known for what it is

// --- Redis: one call at a time over a connection of its own, in RESP2 ---

/** The first reply in `buffer` from `at` on, as [value, where it ends]; undefined while it is not there in full. */
function reply(buffer, at = 0) {
  const end = buffer.indexOf("\r\n", at);
  if (end < 0) return undefined;
  const text = buffer.toString("utf8", at + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(buffer[at])) {
    case "+": return [text, next];
    case ":": return [Number(text), next];
    case "-": return [new Error(text), next]; // OOM, MISCONF, LOADING and their like pass: keep the event, send it later
    case "$": {
      const length = Number(text);
      if (length < 0) return [null, next];
      return buffer.length < next + length + 2 ? undefined : [buffer.toString("utf8", next, next + length), next + length + 2];
    }
    case "*": {
      const items = [];
      let position = next;
      for (let count = Number(text); count > 0; count--) {
        const item = reply(buffer, position);
        if (item === undefined) return undefined;
        items.push(item[0]);
        position = item[1];
      }
      return [Number(text) < 0 ? null : items, position];
    }
    default: throw new Error("this is no Redis");
  }
}

function request(...words) {
  const bytes = words.map((word) => Buffer.from(String(word)));
  return Buffer.concat([Buffer.from(`*${bytes.length}\r\n`),
    ...bytes.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from("\r\n")])]);
}

/** Redis's answer to one command. Rejects where it is away, hangs or refuses. */
function redis(...command) {
  const before = [];
  if (redisUrl.password) {
    const user = redisUrl.username ? [decodeURIComponent(redisUrl.username)] : [];
    before.push(["AUTH", ...user, decodeURIComponent(redisUrl.password)]);
  }
  const database = redisUrl.pathname.slice(1);
  if (database && database !== "0") before.push(["SELECT", database]);
  return new Promise((resolve, reject) => {
    let buffer = Buffer.alloc(0);
    let awaited = before.length + 1;
    const socket = connect(Number(redisUrl.port || 6379), redisUrl.hostname.replace(/^\[|\]$/g, ""));
    const fail = (error) => { socket.destroy(); reject(error); };
    socket.setTimeout(CALL_TIMEOUT, () => fail(new Error("Redis does not answer")));
    socket.on("error", fail);
    socket.on("close", () => reject(new Error("Redis has closed the connection")));
    socket.on("connect", () => socket.write(Buffer.concat([...before, command].map((words) => request(...words)))));
    socket.on("data", (data) => {
      buffer = Buffer.concat([buffer, data]);
      for (let got = reply(buffer); got !== undefined; got = reply(buffer)) {
        buffer = buffer.subarray(got[1]);
        if (got[0] instanceof Error) return fail(got[0]);
        if (--awaited === 0) { resolve(got[0]); socket.destroy(); return; }
      }
    });
  });
}

// --- what the contract asks for ---

/** A UUID of version 7. */
function uuid7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** The form of a name in keys and streams. */
function safeName(name) {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  const normal = name.normalize("NFC");
  return `_${normal.replace(/[^A-Za-z0-9._]+/g, "-").slice(0, 40)}-${sha256(normal).slice(0, 16)}`;
}

/** A file that is wholly there or not at all, also after a power cut. */
function writeDurably(path, data) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${uuid7()}.tmp`);
  const file = openSync(temporary, "wx");
  writeFileSync(file, data);
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, path);
  if (process.platform === "win32") return; // has no way to sync a folder, and needs none
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** Store the photograph, then its event in the outbox. */
function handIn(path) {
  const image = readFileSync(path);
  const capture = uuid7();
  const now = new Date();
  const key = `${safeName(STATION)}/${now.toISOString().slice(0, 10)}/${capture}.jpg`;
  writeDurably(join(IMAGES, key), image);
  writeDurably(join(OUTBOX, capture), JSON.stringify({
    schema_version: 2, capture_id: capture, captured_at: now.toISOString(), station: STATION,
    machine: options.machine, head: options.head, pocket: Number(options.pocket), operation: options.operation,
    check_id: options.check ?? uuid7(), check_size: Number(options.of), image: key, image_sha256: sha256(image),
  }));
}

/** The Celery message that carries an event. */
function message(event) {
  return JSON.stringify({
    body: Buffer.from(`[[${event}],{},{}]`).toString("base64"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    headers: { task: "insert_inspection.inspect", id: JSON.parse(event).capture_id },
    properties: {
      body_encoding: "base64", delivery_tag: uuid7(), delivery_info: { exchange: "", routing_key: "inspect" },
    },
  });
}

// --- send, read answers, send again what is not answered ---

mkdirSync(OUTBOX, { recursive: true });
if (positionals.length) handIn(positionals[0]);
const captures = readdirSync(OUTBOX).filter((name) => !name.startsWith(".")).sort(); // by their times: the order they came in
const waiting = new Map(captures.map((capture) => [capture, { pause: 10, at: 0 }]));
const checkOf = new Map(captures.map((capture) => [capture, JSON.parse(readFileSync(join(OUTBOX, capture), "utf8")).check_id]));
const checks = new Set(checkOf.values());
const newest = new Map(); // the highest revision of each check's answers: a lower one that is told late is out of date
let position = "0-0";
let last = false; // the answer of a check comes behind that of its last photograph: one more look
while (waiting.size || (checks.size && !last)) {
  last = !waiting.size;
  try {
    for (const [capture, next] of waiting) {
      if (Date.now() < next.at) continue;
      await redis("LPUSH", "inspect", message(readFileSync(join(OUTBOX, capture), "utf8")));
      next.at = Date.now() + next.pause * 1000;
      next.pause = Math.min(next.pause * 2, 300);
    }
    const streams = await redis("XREAD", "COUNT", 500, "BLOCK", 1000, "STREAMS", `verdicts:${safeName(STATION)}`, position);
    for (const [id, fields] of streams?.[0][1] ?? []) {
      position = id;
      const text = fields[fields.indexOf("answer") + 1];
      const answer = JSON.parse(text);
      if (answer.kind === "check") {
        const known = newest.get(answer.check_id) ?? 0;
        const revision = Number(fields[fields.indexOf("revision") + 1]) || known; // none: a worker of before
        if (revision < known) continue;
        newest.set(answer.check_id, revision);
        // What was said of the check before its photographs were judged is not about them.
        if ([...waiting.keys()].some((capture) => checkOf.get(capture) === answer.check_id)) continue;
        const isFirst = checks.delete(answer.check_id);
        if (isFirst || (revision > known && [...checkOf.values()].includes(answer.check_id))) console.log(text);
        continue;
      }
      if (!waiting.delete(answer.capture_id)) continue;
      console.log(text);
      rmSync(join(OUTBOX, answer.capture_id), { force: true }); // another one of this gateway may have been first
    }
  } catch (error) {
    console.error(`Redis is away or refuses, tried again: ${error.message}`);
    position = "0-0"; // it may come back empty; an answer that is read twice does no harm
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
