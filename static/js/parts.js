// Sends one large file in parts. A connection that breaks costs a part and not the file: the server
// knows which parts it has, and whoever begins again with the same file goes on there.

const IDLE_MS = 30_000; // nothing moved for so long: the connection is broken and does not know it
const FINISH_MS = 600_000; // the server reads the whole file once more
const LONGEST_WAIT_MS = 20_000;
const FULL = 507; // asking again every few seconds makes no room

// What no further try would change; the message says why.
export class Refused extends Error {}
class Broken extends Error {}

const SENTENCES = {
  200: "You were signed out. Reload the page, sign in and choose the file again: it goes on where it stopped.", // the page to sign in
  403: "This page is too old. Reload it and choose the file again: it goes on where it stopped.",
  404: "What was sent of this file is no longer on the server. Trying again sends it anew.",
  413: "Something between this page and the server takes no parts of this size.",
  [FULL]: "The disk of this server is full. What was sent so far is kept: make room, then try again.",
  other: "The server could not take this file. Trying again goes on where it stopped.",
  unreadable: "This file cannot be read: it was changed or moved, or is a folder. Choose it again.",
  noCaptions: "The captions were changed or moved meanwhile. Choose both files again.",
};

// The server's last answer. `fields` are what the form says of the file, its token among them;
// `tell` hears begun(answer, bytes), progress(bytes), kept(bytes), broken(bytes), and once all of it
// is sent arrived() and unanswered().
// Throws Refused, or anything at all once `signal` is aborted.
export async function sendInParts(file, fields, captions, { url, signal, tell }) {
  const token = fields.csrfmiddlewaretoken;
  let sent = 0;
  const ask = (method, address, body, more = {}, onbroken = () => tell.broken(sent)) =>
    patiently(() => once(method, address, body, { token, signal, ...more }), onbroken, signal);

  const about = { name: file.name, size: file.size, modified: file.lastModified };
  const language = captions ? "" : fields.language; // nobody listens then
  const begun = await ask("POST", url, formOf({ ...fields, ...about, language }));
  if (!begun.ok) return begun;
  const partOf = (number) => file.slice((number - 1) * begun.part_bytes, number * begun.part_bytes);
  sent = begun.missing.reduce((left, number) => left - partOf(number).size, file.size);
  tell.begun(begun, sent);
  for (const number of begun.missing) {
    const part = partOf(number);
    const onprogress = (bytes) => tell.progress(sent + bytes);
    const answer = await ask("PUT", `${begun.url}${number}`, part, { onprogress });
    if (!answer.ok) throw new Refused(answer.message);
    tell.kept((sent += part.size));
  }
  tell.arrived();
  const last = formOf({ ...fields, captions });
  return ask("POST", `${begun.url}finish`, last, { idle: FINISH_MS }, tell.unanswered);
}

function formOf(fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.append(name, value);
  return body;
}

// Again and again, less and less often, as long as only the connection is to blame.
async function patiently(attempt, onbroken, signal) {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Broken) || signal.aborted) throw error;
      onbroken();
      await rest(Math.min(1000 * 2 ** tries, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2), signal);
    }
  }
}

// Until then, or until the network is back, or nobody wants it any more.
function rest(milliseconds, signal) {
  return new Promise((done) => {
    const timer = setTimeout(over, milliseconds);
    function over() {
      clearTimeout(timer);
      removeEventListener("online", over);
      signal.removeEventListener("abort", over);
      done();
    }
    addEventListener("online", over);
    signal.addEventListener("abort", over);
  });
}

async function once(method, url, body, { token, signal, onprogress, idle = IDLE_MS }) {
  if (signal.aborted) throw new Broken();
  const why = body instanceof Blob ? await unreadable(body) : await noCaptions(body.get("captions"));
  if (why) throw new Refused(why);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), idle);
    };
    const stop = () => request.abort();
    request.open(method, url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.upload.onprogress = (event) => {
      moved();
      onprogress?.(event.loaded);
    };
    request.onload = () => settle(request, resolve, reject);
    request.onerror = request.onabort = () => reject(new Broken());
    request.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    signal.addEventListener("abort", stop);
    moved();
    request.send(body);
  });
}

// Why the browser cannot read what it shall send, or nothing: sending it looks like a connection that
// broke. The beginning of a file that is gone may be empty, and no error.
export async function unreadable(file) {
  const first = await file.slice(0, 1).arrayBuffer().catch(() => null);
  return first?.byteLength ? "" : SENTENCES.unreadable;
}

export async function noCaptions(file) {
  return !file || (await file.arrayBuffer().catch(() => null)) ? "" : SENTENCES.noCaptions;
}

function settle(request, resolve, reject) {
  const { status, responseText } = request;
  if ((status >= 500 && status !== FULL) || status === 408 || status === 429) return reject(new Broken());
  try {
    if (status < 300) return resolve(JSON.parse(responseText));
  } catch {
    // A page, then.
  }
  reject(new Refused(request.getResponseHeader("X-Refusal") ?? SENTENCES[status] ?? SENTENCES.other));
}
