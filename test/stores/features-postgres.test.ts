import { postgresKit } from "../support/store-kits.ts";
import { storeFeatures } from "./features.ts";

storeFeatures(postgresKit());
