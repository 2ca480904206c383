import { ALGORITHMS, type Algorithm, isAlgorithm, isSymmetric } from "../crypto/algorithms.ts";
import {
  fixedKeys,
  importKeySet,
  importSigningKey,
  importVerifyKey,
  type KeyMaterial,
  type KeyResolver,
  type SigningKey,
  type VerifyKey,
} from "../crypto/keys.ts";
import { isJwtError } from "../errors.ts";
import type { AnyClaims } from "../types.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Loaders } from "./loaders.ts";
import type { JwtOptions } from "./options.ts";

/** The keys of a manager, imported and checked. */
export interface ResolvedKeys {
  readonly algorithm: Algorithm;
  /** What verifies; `undefined` where no token can be verified. */
  readonly verifying: KeyResolver | undefined;
  /** What signs; `undefined` where no token can be made without `encodeKey`. */
  readonly signing: SigningKey | undefined;
  /** Imports what `encodeKey` gave. Throws `UsageError` where it cannot sign. */
  importSigning(material: KeyMaterial): SigningKey;
}

type Import = <K>(name: string, build: () => K) => K | undefined;

const isKeySet = (material: unknown): boolean =>
  typeof material === "object" && material !== null && Object.hasOwn(material, "keys");

/** Imported keys by their material, so that loaders which answer the same text pay once. Bounded: a loader may invent keys. */
function remembering<K>(build: (material: KeyMaterial) => K): (material: KeyMaterial) => K {
  const known = new Map<KeyMaterial, K>();
  return (material) => {
    const found = known.get(material);
    if (found !== undefined) return found;
    const made = build(material);
    // A mutable object is no safe name for a key: its content may change.
    if (typeof material === "string") {
      if (known.size >= 1_000) known.clear();
      known.set(material, made);
    }
    return made;
  };
}

/** Imports the keys of the options and collects what is wrong with them. */
export function resolveKeys(
  options: JwtOptions<unknown, unknown, never>,
  behaviour: Behaviour,
  loaders: Loaders<unknown, never>,
  faults: string[],
  warnings: string[],
): ResolvedKeys {
  const rules = { allowWeak: behaviour.weakKeys };
  const pair = options.privateKey ?? options.publicKey;
  if (
    options.algorithm === undefined &&
    pair !== undefined &&
    options.secretKey === undefined &&
    behaviour.strictProduction
  ) {
    faults.push('algorithm must be named for a key pair, such as algorithm: "RS256" or "ES256".');
  }
  const algorithm = isAlgorithm(options.algorithm) ? options.algorithm : "HS256";
  const guarded: Import = (name, build) => {
    try {
      return build();
    } catch (error) {
      if (!isJwtError(error)) throw error;
      faults.push(`${name}: ${error.message}`);
      return undefined;
    }
  };

  const wanted = acceptedAlgorithms(options, algorithm, behaviour);
  const material = isSymmetric(algorithm) ? options.secretKey : options.privateKey;
  const signing =
    material === undefined
      ? undefined
      : guarded(materialName(algorithm), () => importSigningKey(material, algorithm, rules));
  const importSigning = remembering((key) => importSigningKey(key, algorithm, rules));

  const { decodeKey } = loaders;
  if (decodeKey) {
    const importVerify = wanted.map((name) => remembering((key) => importVerifyKey(key, name, rules)));
    return { algorithm, signing, importSigning, verifying: keysByLoader(decodeKey, importVerify, wanted, behaviour) };
  }
  const verifying = guarded("publicKey", () => staticKeys());
  if (!signing && !loaders.encodeKey && !verifying && !named(faults)) {
    faults.push(
      isSymmetric(algorithm)
        ? "secretKey is missing: set it to at least 32 random bytes, for example from `openssl rand -base64 48`, and keep it out of the code."
        : `privateKey is missing: ${algorithm} signs with a private key; a service that only verifies needs publicKey.`,
    );
  }
  return { algorithm, signing, importSigning, verifying };

  function staticKeys(): KeyResolver | undefined {
    if (isKeySet(options.publicKey)) {
      const set = importKeySet(options.publicKey, wanted, rules);
      if (set.size === 0)
        faults.push(
          `publicKey: no key of the set can verify ${wanted.join(" or ")}: name its algorithm, and check that it holds public keys.`,
        );
      return set;
    }
    const rows: VerifyKey[] = [];
    for (const name of wanted) {
      const key = verifyMaterial(name);
      if (key === undefined) {
        if (options.decodeAlgorithms?.includes(name) && !behaviour.dropMisfits) {
          faults.push(
            `decodeAlgorithms names ${name}, but there is no ${isSymmetric(name) ? "secretKey" : "publicKey"} for it.`,
          );
        }
        continue;
      }
      try {
        rows.push(importVerifyKey(key, name, rules));
      } catch (error) {
        if (!isJwtError(error)) throw error;
        if (behaviour.dropMisfits && name !== algorithm)
          warnings.push(`decodeAlgorithms: ${name} does not fit the key and is dropped.`);
        // A secret that signs was named above with the same words.
        else if (signing || material === undefined) faults.push(`${materialName(name)}: ${error.message}`);
      }
    }
    return rows.length === 0 ? undefined : fixedKeys(rows);
  }

  function verifyMaterial(name: Algorithm): KeyMaterial | undefined {
    // There the key goes by the configured algorithm, whatever else is accepted.
    const family = behaviour.dropMisfits ? algorithm : name;
    if (isSymmetric(family)) return options.secretKey;
    return (
      (options.publicKey as KeyMaterial | undefined) ?? (behaviour.derivePublicKey ? options.privateKey : undefined)
    );
  }
}

/** Whether something was said about the keys already, so that "missing" would only confuse. */
const named = (faults: readonly string[]): boolean =>
  faults.some((fault) => /^(secretKey|privateKey|publicKey|algorithm|decodeAlgorithms)/.test(fault));

const materialName = (algorithm: Algorithm): string =>
  isSymmetric(algorithm) ? "secretKey" : "privateKey or publicKey";

function acceptedAlgorithms(
  options: JwtOptions<unknown, unknown, never>,
  algorithm: Algorithm,
  behaviour: Behaviour,
): Algorithm[] {
  const listed = (options.decodeAlgorithms ?? []).filter(isAlgorithm);
  if (listed.length === 0) return [algorithm];
  return behaviour.ownAlgorithmAccepted && !listed.includes(algorithm) ? [algorithm, ...listed] : listed;
}

function keysByLoader(
  decodeKey: NonNullable<Loaders["decodeKey"]>,
  importers: readonly ((material: KeyMaterial) => VerifyKey)[],
  algorithms: readonly Algorithm[],
  behaviour: Behaviour,
): KeyResolver {
  return {
    cacheable: false,
    version: 0,
    has: () => true,
    async find(header, claims) {
      // A name that is not accepted is no reason to ask, where the loader's errors are ours to keep quiet.
      const place = algorithms.indexOf(header.alg as Algorithm);
      if (place < 0 && behaviour.decodeKeyFaultsRefuse) return [];
      const unverified = claims();
      if (unverified === undefined) return [];
      try {
        const material = await decodeKey(header, unverified as AnyClaims);
        const imported = place < 0 ? undefined : importers[place]?.(material);
        return imported ? [imported] : [];
      } catch (error) {
        if (behaviour.decodeKeyFaultsRefuse || isJwtError(error)) return [];
        throw error;
      }
    },
  };
}

/** For the documentation and the checks: every algorithm that can be named. */
export const ALGORITHM_NAMES: readonly string[] = Object.freeze(Object.keys(ALGORITHMS));
