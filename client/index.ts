export { createAuthFetch } from "./auth-fetch.ts";
export type { AuthFetch, AuthFetchOptions, ClientStorage, LoginAnswer, StepUp } from "./options.ts";
