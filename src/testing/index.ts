export { type FakeClock, fakeClock } from "./clock.ts";
export { type StoreCase, type StoreFactory, storeContract } from "./store-contract.ts";
export { type TestTokens, testTokens } from "./tokens.ts";
