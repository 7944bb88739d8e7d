// The review area's own requests, at the page's address + "/api/"; the session is a cookie.

const API = location.pathname.replace(/\/+$/, "") + "/api/";

class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    this.gone = status === 401;
  }
}

async function api(path, { body, method = body === undefined ? "GET" : "POST", raw = false, patience = 20000 } = {}) {
  let response;
  try {
    response = await fetch(API + path, {
      method,
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
      headers: body === undefined || raw ? {} : { "Content-Type": "application/json" },
      signal: AbortSignal.timeout(patience),
    });
  } catch {
    throw new ApiError("The server cannot be reached.", 0);
  }
  const said = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(said?.error ?? "The server answered " + response.status + ".", response.status);
  return said;
}
