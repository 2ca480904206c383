import { conformanceSuite } from "./suite.ts";

conformanceSuite("fastify");
