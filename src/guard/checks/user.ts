import { ForbiddenError, isRefusal, type JwtError, UserLookupError } from "../../errors.ts";
import { isThenable } from "../../internal/thenable.ts";
import type { AnyClaims, AuthContext, MaybePromise } from "../../types.ts";
import { authContext } from "../auth-context.ts";
import type { Passage } from "../passage.ts";

/** Loads the user, after every check that could spare the trouble. */
export function user(passage: Passage): MaybePromise<JwtError | undefined> {
  const loaded = passage.rule.config.loaders.userLookup?.(passage.header, passage.shown as never);
  return isThenable(loaded) ? Promise.resolve(loaded).then((late) => keep(passage, late)) : keep(passage, loaded);
}

function keep(passage: Passage, loaded: unknown): JwtError | undefined {
  const { behaviour, identityClaim } = passage.rule.config;
  if (loaded === null || loaded === undefined) {
    const message = behaviour.messages.userNotFound(passage.claims[identityClaim]);
    return new UserLookupError("user_not_found", { message });
  }
  passage.user = loaded;
  return undefined;
}

/** The route's own last word. */
export function lastWord(passage: Passage): MaybePromise<JwtError | undefined> {
  const refuse = (answer: unknown): JwtError | undefined =>
    answer === true ? undefined : new ForbiddenError("forbidden");
  const rejected = (error: unknown): JwtError => {
    if (isRefusal(error)) return error;
    throw error;
  };
  try {
    const answer = passage.rule.verify?.(authContext(passage) as AuthContext<unknown, AnyClaims>, passage.request);
    return isThenable(answer) ? Promise.resolve(answer).then(refuse, rejected) : refuse(answer);
  } catch (error) {
    return rejected(error);
  }
}
