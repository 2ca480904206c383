import { AccountError, raise } from "../errors.ts";
import type { Route } from "../http/types.ts";
import { assertOwnPage, route } from "../routes/shared.ts";
import { readFields } from "./body.ts";
import { type Desk, letIn, placeOf, recorded } from "./desk.ts";
import type { People } from "./people.ts";

/** `POST /login`: `{ "username", "password" }`, and `"via"` for a client that may choose between cookies and a body. */
export function loginRoute(desk: Desk, people: People): Route {
  const { manager } = desk;
  return route("POST", "/login", manager, async (request) => {
    assertOwnPage(request, manager);
    const shape = { username: "text", password: "text", via: "text?" } as const;
    const fields = await readFields(request, shape, manager.config);
    const via = placeOf(fields.via, request, manager);
    const password = desk.passwords.normalize(fields.password, "password");
    const jkt = manager.config.dpop && (await manager.verifyDpopProof(request));
    return recorded("login", desk, async (about) => {
      const candidate = await people(fields.username);
      const { name, id } = candidate;
      about.subject = id ?? null;
      const device = id === undefined ? undefined : await desk.devices.known(request, id);
      const refund = await desk.limits.login({ name, address: desk.addressOf(request), device });
      const person = await candidate.check(password);
      if (typeof person === "string") {
        about.outcome = person;
        // One answer for unknown users, wrong passwords and disabled accounts: it must not tell who has one.
        return raise(new AccountError("invalid_credentials"));
      }
      await refund();
      about.subject = person.id;
      return letIn(person, request, desk, { via, jkt, status: 201, device });
    });
  });
}
