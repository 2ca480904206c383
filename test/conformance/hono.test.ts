import { conformanceSuite } from "./suite.ts";

conformanceSuite("hono");
