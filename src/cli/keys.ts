import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { ALGORITHMS, type Algorithm, isAlgorithm, isSymmetric } from "../crypto/algorithms.ts";
import { thumbprint } from "../crypto/thumbprint.ts";
import { type Command, type Input, WrongUsage } from "./command.ts";
import { wholeNumber } from "./parse.ts";
import { type NewFile, writeFiles } from "./private-file.ts";

const PAIRS = (Object.keys(ALGORITHMS) as Algorithm[]).filter((name) => !isSymmetric(name));

export const keysGenerate: Command = {
  name: "keys generate",
  summary: "Makes a key pair for RS, PS, ES or EdDSA.",
  takes: "",
  count: [0, 0],
  options: {
    algorithm: { type: "string", value: "NAME", default: "ES256", says: "What it is to sign." },
    bits: { type: "string", value: "N", default: "3072", says: "The size of an RSA key, 2048 to 8192." },
    out: { type: "string", value: "NAME", default: "jwt", says: "The beginning of the file names." },
    format: { type: "string", value: "pem|jwk", default: "pem", says: "PEM (PKCS#8 and SPKI), or JSON Web Keys." },
    force: { type: "boolean", says: "Replace the files if they are there." },
    print: { type: "boolean", says: "Print the private key instead of writing files." },
  },
  notes: [
    `Algorithms: ${PAIRS.join(", ")}.`,
    "It writes NAME-private with mode 0600, and NAME-public; both end in .pem or .jwk.json.",
    "The kid is the thumbprint of the public key (RFC 7638).",
    "Give them to the application as JWT_PRIVATE_KEY_FILE, or JWT_PUBLIC_KEY_FILE where it only verifies, with JWT_ALGORITHM.",
  ],
  run(input) {
    const algorithm = algorithmOf(input);
    const format = input.text("format");
    if (format !== "pem" && format !== "jwk") throw new WrongUsage("--format must be pem or jwk.");
    const { privateKey, publicKey } = pairOf(algorithm, wholeNumber(input, "bits", 2048, 8192));
    const kid = thumbprint(publicKey.export({ format: "jwk" }));
    const named = { kid, alg: algorithm, use: "sig" };
    const publicJwk = { ...publicKey.export({ format: "jwk" }), ...named };
    const text =
      format === "pem"
        ? (key: KeyObject) => key.export({ format: "pem", type: key.type === "private" ? "pkcs8" : "spki" }) as string
        : (key: KeyObject) => `${JSON.stringify({ ...key.export({ format: "jwk" }), ...named }, null, 2)}\n`;
    if (input.has("print")) {
      const secret = text(privateKey);
      return { ok: true, json: { algorithm, kid, privateKey: secret, publicJwk }, text: secret.trimEnd() };
    }
    const ending = format === "pem" ? "pem" : "jwk.json";
    const files: NewFile[] = [privateKey, publicKey].map((key) => ({
      path: `${input.text("out")}-${key.type}.${ending}`,
      text: text(key),
      isPrivate: key.type === "private",
    }));
    writeFiles(files, input.has("force"));
    const [own, shared] = files.map(({ path }) => path);
    return {
      ok: true,
      json: { algorithm, kid, privateKeyFile: own, publicKeyFile: shared, publicJwk },
      text: [
        `Wrote a key pair for ${algorithm} to ${own} and ${shared}.`,
        `kid: ${kid}`,
        ...(format === "pem" ? [`Sign with JWT_ALGORITHM=${algorithm} JWT_PRIVATE_KEY_FILE=${own}`] : []),
      ].join("\n"),
    };
  },
};

function algorithmOf(input: Input): Algorithm {
  const name = input.text("algorithm");
  if (!isAlgorithm(name)) throw new WrongUsage(`--algorithm must be one of ${PAIRS.join(", ")}.`);
  if (isSymmetric(name)) throw new WrongUsage(`${name} signs with a secret: make one with jwt-extended secret.`);
  return name;
}

function pairOf(algorithm: Algorithm, bits: number): { privateKey: KeyObject; publicKey: KeyObject } {
  const { family, curve } = ALGORITHMS[algorithm];
  if (family === "ec") return generateKeyPairSync("ec", { namedCurve: curve?.openssl as string });
  if (family === "ed25519") return generateKeyPairSync("ed25519");
  // A plain RSA key also for PS: keys that are bound to PSS have no form as JWK.
  return generateKeyPairSync("rsa", { modulusLength: bits });
}
