import { describe, expect, it } from "vitest";
import { cookie, passed, who } from "../support/answers.ts";
import { forge, goodClaims, seconds } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { managerOf, serving } from "../support/serve.ts";
import { downStore } from "../support/stores.ts";

interface Faults {
  submitted: string | undefined;
  secret: string | undefined;
  claims: Record<string, unknown>;
  store: unknown;
  listed: boolean;
  accepted: boolean;
  user: unknown;
  verified: boolean;
}

/**
 * The order of checks. One request has every fault at once; what is mended one by one is always the fault that was
 * answered, so the answers come in the order of the checks.
 */
const STEPS: readonly [code: string, mend: (faults: Faults) => void][] = [
  ["csrf_missing", (faults) => (faults.submitted = "wrong")],
  ["token_invalid", (faults) => (faults.secret = undefined)],
  ["token_not_yet_valid", (faults) => delete faults.claims.nbf],
  ["token_issuer", (faults) => (faults.claims.iss = "us")],
  ["token_audience", (faults) => (faults.claims.aud = "we")],
  ["token_claim", (faults) => (faults.claims.sub = "ada")],
  ["token_claim", (faults) => (faults.claims.jti = "some-jti")],
  ["csrf_mismatch", (faults) => (faults.submitted = "right")],
  ["token_expired", (faults) => (faults.claims.exp = seconds() + 600)],
  ["wrong_token_type", (faults) => (faults.claims.type = "access")],
  ["token_not_fresh", (faults) => (faults.claims.fresh = true)],
  ["insufficient_role", (faults) => (faults.claims.roles = ["admin"])],
  ["insufficient_scope", (faults) => (faults.claims.scope = "write")],
  ["token_revoked", (faults) => (faults.store = false)],
  ["token_revoked", (faults) => (faults.listed = false)],
  ["invalid_claims", (faults) => (faults.accepted = true)],
  ["invalid_claims", (faults) => (faults.claims.team = "x")],
  ["user_not_found", (faults) => (faults.user = "Ada")],
  ["forbidden", (faults) => (faults.verified = true)],
];

export function feature(harness: Harness): void {
  describe("the order of checks", () => {
    it.each(["at once", "later"])("is that of the documentation, with answers %s", async (when) => {
      const asked: string[] = [];
      const faults: Faults = {
        submitted: undefined,
        secret: "another-secret-of-at-least-32-bytes!",
        claims: goodClaims({
          nbf: seconds() + 600,
          iss: "them",
          aud: "they",
          sub: 7,
          jti: 7,
          exp: seconds() - 60,
          type: "refresh",
          fresh: false,
          csrf: "right",
        }),
        store: true,
        listed: true,
        accepted: false,
        user: null,
        verified: false,
      };
      const tell = <T>(name: string, value: T): T | Promise<T> => {
        asked.push(name);
        return when === "later" ? Promise.resolve(value) : value;
      };
      const team = { validate: (value: unknown) => teamOf(value, asked), version: 1, vendor: "test" };
      const manager = managerOf({
        issuer: "us",
        audience: "we",
        tokenLocation: ["cookies"],
        store: downStore(() => tell("store", faults.store)),
        claimsSchema: { "~standard": team },
        loaders: {
          tokenInBlocklist: () => tell("blocklist", faults.listed),
          tokenVerification: () => tell("verification", faults.accepted),
          userLookup: () => tell("user", faults.user),
        },
      });
      const verify = (): boolean | Promise<boolean> => tell("verify", faults.verified);
      const route = who({ fresh: true, roles: "admin", scopes: "write", verify });
      const remote = ["store", "blocklist", "verification", "schema", "user", "verify"];
      await serving(harness, manager, [route], {}, async ({ send }) => {
        const ask = () => {
          asked.length = 0;
          const token = forge(faults.claims, undefined, faults.secret);
          const csrf = faults.submitted === undefined ? [] : [["X-CSRF-TOKEN", faults.submitted] as const];
          return send({ method: "POST", path: "/me", headers: [cookie(`__Host-access_token=${token}`), ...csrf] });
        };
        for (const [code, mend] of STEPS) {
          const answer = await ask();
          expect(answer.json()).toMatchObject({ code });
          // Nothing is asked that stands behind the fault, and nothing twice.
          expect(asked).toEqual(remote.slice(0, asked.length));
          mend(faults);
        }
        passed(await ask());
        expect(asked).toEqual(remote);
      });
    });
  });
}

function teamOf(value: unknown, asked: string[]): object {
  asked.push("schema");
  return (value as { team?: unknown }).team === "x" ? { value } : { issues: [{ message: "team is missing" }] };
}
