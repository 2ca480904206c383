import { InvalidTokenError, type JwtErrorCode } from "../errors.ts";

/** Makes the refusal of a token. `detail` is for developers and never holds input. */
export function refuse(code: JwtErrorCode, detail: string, message?: string): InvalidTokenError {
  return new InvalidTokenError(code, { detail, message });
}

/** The refusal of a token that is malformed or forged. */
export function malformed(detail: string): InvalidTokenError {
  return refuse("token_invalid", detail);
}
