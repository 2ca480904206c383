import { mysqlKit } from "../support/store-kits.ts";
import { storeFeatures } from "./features.ts";

storeFeatures(mysqlKit());
