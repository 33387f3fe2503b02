/** Asks the service. Whatever goes wrong arrives as one `ServiceError`. */
export class ServiceError extends Error {
  constructor(status, code, message, remedy, details = []) {
    super(message);
    Object.assign(this, { status, code, remedy, details });
  }
}

let key = "";
try {
  key = sessionStorage.getItem("medsearch.key") ?? "";
} catch {
  // Without storage the key is asked for again after a reload.
}

export function hasKey() {
  return key !== "";
}

export function setKey(value) {
  key = value;
  try {
    sessionStorage.setItem("medsearch.key", value);
  } catch {
    // As above.
  }
}

async function send(path, { body, signal } = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const options = { headers, signal };
  if (body instanceof FormData) Object.assign(options, { method: "POST", body });
  else if (body) {
    headers["Content-Type"] = "application/json";
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  }
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, "away", "", "");
  }
  if (reply.ok) return reply;
  const told = await reply.json().catch(() => ({}));
  throw new ServiceError(
    reply.status,
    told.code ?? "unknown",
    told.message ?? "",
    told.remedy ?? "",
    told.details ?? [],
  );
}

export async function askJson(path, options) {
  return (await send(path, options)).json();
}

export async function askBlob(path, options) {
  return (await send(path, options)).blob();
}

/** Yield the server-sent events of a reply as {event, data}; leaving the loop hangs up. */
export async function* askEvents(path, options) {
  const reply = await send(path, options);
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await nextPiece(reader);
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const [event, data] = block.split("\n").map((line) => line.slice(line.indexOf(":") + 2));
        yield { event, data: JSON.parse(data) };
      }
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

async function nextPiece(reader) {
  try {
    return await reader.read();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, "away", "", "");
  }
}

/** Whether searches are answered: "ready", "loading" or "away". */
export async function readiness() {
  try {
    const reply = await fetch("/readyz");
    await reply.arrayBuffer(); // a body that nobody reads keeps its connection
    return reply.ok ? "ready" : "loading";
  } catch {
    return "away";
  }
}

export function recordPath(recordId) {
  return `/v1/records/${recordId.split("/").map(encodeURIComponent).join("/")}`;
}

export function thumbnailPath(recordId) {
  return `${recordPath(recordId)}/thumbnail`;
}
