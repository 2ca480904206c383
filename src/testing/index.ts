export { type FakeClock, fakeClock } from "./clock.ts";
export type { StoreCase, StoreFactory } from "./store-cases.ts";
export { storeContract } from "./store-contract.ts";
export { type TestTokens, testTokens } from "./tokens.ts";
