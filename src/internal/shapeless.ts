/**
 * Reads a property of an object that may have a hidden class of its own. Express changes the prototype of every request, after
 * which V8 (that of Node 20 and 22) makes a new hidden class for each as soon as a property is added; `from.name` then finds
 * nothing in its inline cache and takes 240 ns, `Reflect.get` 13 ns. Of other objects both read at the same speed.
 */
export const read: <From extends object, Name extends keyof From>(from: From, name: Name) => From[Name] = Reflect.get;
