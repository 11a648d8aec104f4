import { stringValue } from './schema-string.ts';

/** What a generated value may draw on. */
export interface ValueHints {
  /** The question: names, numbers and enum values in it are used. */
  readonly question: string;
  /** The text that a member such as `answer` or `summary` gets. */
  readonly answer: () => string;
  /** The label of a classifier prompt, used wherever an enum has it. */
  readonly label: string | undefined;
}

type Schema = Readonly<Record<string, unknown>>;

/** Nested this deep, only what is required is filled in, so that recursive schemas end. */
const maxDepth = 6;

/** A JSON value that satisfies the schema, the same one for the same question. `pattern` is met only by luck. */
export function valueForSchema(schema: Schema, hints: ValueHints): unknown {
  return new Generator(schema, hints).value(schema, '', 0);
}

/** Members that judge something. */
const marks = /score|rating|grade|confidence|probability|relevance/i;

class Generator {
  readonly #root: Schema;
  readonly #hints: ValueHints;
  /** Numbers of the question that no member has taken yet. */
  readonly #numbers: number[];

  constructor(root: Schema, hints: ValueHints) {
    this.#root = root;
    this.#hints = hints;
    this.#numbers = (hints.question.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
  }

  /** `name` is the member that the value is for. */
  value(given: unknown, name: string, depth: number): unknown {
    const schema = this.#resolved(given);
    if ('const' in schema) return schema.const;
    if (Array.isArray(schema.enum)) return this.#choice(schema.enum);
    if ('default' in schema) return schema.default;
    if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
    const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type;
    switch (type ?? impliedType(schema)) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return this.#array(schema, name, depth);
      case 'string':
        return stringValue(schema, name, this.#hints);
      case 'integer':
        return this.#number(schema, name, 1);
      case 'number':
        return this.#number(schema, name, 0);
      case 'boolean':
        return true;
      default:
        return null;
    }
  }

  /** Follows references and takes the first of several choices. */
  #resolved(given: unknown): Schema {
    let schema = asSchema(given);
    for (let hops = 0; hops < 50; hops++) {
      const choice = [schema.anyOf, schema.oneOf].find(Array.isArray)?.[0];
      if (typeof schema.$ref === 'string')
        schema = { ...without(schema, '$ref'), ...this.#referenced(schema.$ref) };
      else if (choice !== undefined) schema = { ...without(schema, 'anyOf', 'oneOf'), ...asSchema(choice) };
      else if (Array.isArray(schema.allOf)) schema = this.#merged(schema, schema.allOf);
      else return schema;
    }
    return schema;
  }

  #referenced(reference: string): Schema {
    const steps = reference
      .replace(/^#\/?/, '')
      .split('/')
      .filter((step) => step !== '');
    const unescaped = steps.map((step) => decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~'));
    return asSchema(unescaped.reduce<unknown>((part, step) => asSchema(part)[step], this.#root));
  }

  #merged(schema: Schema, all: readonly unknown[]): Schema {
    let merged = without(schema, 'allOf');
    for (const part of all.map((each) => this.#resolved(each))) {
      merged = {
        ...merged,
        ...part,
        properties: { ...asSchema(merged.properties), ...asSchema(part.properties) },
        required: [...asList(merged.required), ...asList(part.required)],
      };
    }
    return merged;
  }

  #object(schema: Schema, depth: number): Record<string, unknown> {
    const properties = asSchema(schema.properties);
    const required = asList(schema.required).map(String);
    const names = depth < maxDepth ? [...new Set([...Object.keys(properties), ...required])] : required;
    return Object.fromEntries(
      names.map((name) => [name, this.value(properties[name] ?? {}, name, depth + 1)]),
    );
  }

  #array(schema: Schema, name: string, depth: number): unknown[] {
    const tuple = asList(schema.prefixItems).map((item) => this.value(item, name, depth + 1));
    const min = Number(schema.minItems ?? 0);
    const usual = depth < maxDepth && schema.items !== false && tuple.length === 0 ? 1 : 0;
    const length = Math.min(
      Math.max(min, usual, tuple.length),
      Number(schema.maxItems ?? Number.POSITIVE_INFINITY),
    );
    const items = Array.from({ length: Math.max(0, length - tuple.length) }, (_, index) => {
      const value = this.value(schema.items ?? {}, name, depth + 1);
      return schema.uniqueItems === true && index > 0 ? this.#another(schema.items, value, index) : value;
    });
    return [...tuple, ...items];
  }

  /** The value once more, but different: by the next enum value, a number or a suffix. */
  #another(items: unknown, value: unknown, index: number): unknown {
    const values = this.#resolved(items).enum;
    if (Array.isArray(values)) return values[(values.indexOf(value) + index) % values.length];
    if (typeof value === 'number') return value + index;
    return typeof value === 'string' ? `${value} ${index + 1}` : value;
  }

  /** An enum value that the classification or the question names, else the first. */
  #choice(values: readonly unknown[]): unknown {
    const { label, question } = this.#hints;
    const named = (value: unknown): boolean =>
      typeof value === 'string' && value !== '' && question.toLowerCase().includes(value.toLowerCase());
    return values.find((value) => value === label) ?? values.find(named) ?? values[0];
  }

  /** A good mark where one is asked for, a number of the question if one fits, else the next to `usual`. */
  #number(schema: Schema, name: string, usual: number): number {
    const step = Number(schema.multipleOf ?? 0);
    const whole =
      schema.type === 'integer' || (Array.isArray(schema.type) && schema.type.includes('integer'));
    const min = lowest(schema, whole);
    const max = highest(schema, whole);
    const fits = (value: number): boolean =>
      value >= min &&
      value <= max &&
      (!whole || Number.isInteger(value)) &&
      (step === 0 || value % step === 0);
    if (marks.test(name)) return Number.isFinite(max) && fits(max) ? max : Math.min(Math.max(1, min), max);
    const asked = this.#numbers.findIndex(fits);
    if (asked >= 0) return this.#numbers.splice(asked, 1)[0] ?? usual;
    const near = Math.min(Math.max(usual, min), max);
    if (step === 0) return near;
    const above = Math.ceil(near / step) * step;
    return above <= max ? above : Math.floor(max / step) * step;
  }
}

function lowest({ minimum, exclusiveMinimum: above }: Schema, whole: boolean): number {
  const min = Number(minimum ?? Number.NEGATIVE_INFINITY);
  if (typeof above !== 'number') return min;
  return Math.max(min, whole ? Math.floor(above) + 1 : above + tiny(above));
}

function highest({ maximum, exclusiveMaximum: below }: Schema, whole: boolean): number {
  const max = Number(maximum ?? Number.POSITIVE_INFINITY);
  if (typeof below !== 'number') return max;
  return Math.min(max, whole ? Math.ceil(below) - 1 : below - tiny(below));
}

/** A step that changes a number of this size, and hardly. */
function tiny(size: number): number {
  return Math.max(1e-6, Math.abs(size) * 1e-9);
}

function impliedType(schema: Schema): string | undefined {
  if (schema.properties !== undefined || schema.required !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  // A schema that allows anything gets a text.
  return Object.keys(schema).every((key) => ['description', 'title'].includes(key)) ? 'string' : undefined;
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function without(schema: Schema, ...names: readonly string[]): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));
}
