import { redisKit } from "../support/store-kits.ts";
import { storeFeatures } from "./features.ts";

storeFeatures(redisKit());
