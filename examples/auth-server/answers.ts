import type { ErrorRequestHandler, RequestHandler } from "express";
import { Refusal } from "./refusal.ts";

/** What every answer carries: it is data for one client, not a page. */
export const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
  next();
};

/** Takes JSON and nothing else: other types are what forms of foreign pages can send. */
export const onlyJson: RequestHandler = (req, _res, next) => {
  const type = (req.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/json") return next();
  throw new Refusal(415, "unsupported_media_type", "Send the body as Content-Type: application/json");
};

export const notFound: RequestHandler = () => {
  throw new Refusal(404, "not_found", "There is nothing here: GET / lists the routes");
};

/** Ends a route: the methods before it are all it has. */
export const methodNotAllowed =
  (allow: string): RequestHandler =>
  () => {
    throw new Refusal(405, "method_not_allowed", `This route takes ${allow}`, { Allow: allow });
  };

/** The one place where an error becomes an answer. What went wrong inside is for the log, never for the client. */
export const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error);
  const { status, code, message, headers } = refusalOf(error);
  res.status(status).set(headers).json({ code, msg: message });
};

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const { type, status, code } = (error ?? {}) as { type?: unknown; status?: unknown; code?: unknown };
  if (type === "entity.too.large") return new Refusal(413, "body_too_large", "The body is too large");
  if (type === "encoding.unsupported") {
    return new Refusal(415, "unsupported_media_type", "Send the body without Content-Encoding");
  }
  if (typeof status === "number" && status >= 400 && status < 500) {
    return new Refusal(400, "bad_request", "The request is malformed");
  }
  console.error(error);
  if (typeof code === "string" && code.startsWith("SQLITE_")) {
    return new Refusal(503, "unavailable", "The users cannot be read right now", { "Retry-After": "1" });
  }
  return new Refusal(500, "internal", "Something went wrong on our side");
}
