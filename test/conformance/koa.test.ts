import { conformanceSuite } from "./suite.ts";

conformanceSuite("koa");
