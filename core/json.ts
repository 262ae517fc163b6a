/** A JSON value as both ends hold it: numbers are finite IEEE doubles, -0 is 0, strings are well-formed UTF-16 without U+0000. */
export type JsonValue = null | boolean | number | string | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
