/** A time as the clocks of a zone show it. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  /** Local time minus UTC, milliseconds. */
  readonly offsetMs: number;
}

/** Reads the clocks of a zone. UTC costs arithmetic only; other zones some microseconds of `Intl`. */
export function zonedClock(timeZone: string): (ms: number) => LocalTime {
  if (timeZone === 'UTC') return (ms) => fields(ms, 0);
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (ms) => {
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    const localMs = Date.UTC(year, month - 1, day, hour, minute, second);
    return fields(ms, localMs - Math.floor(ms / 1000) * 1000);
  };
}

function fields(ms: number, offsetMs: number): LocalTime {
  const local = new Date(ms + offsetMs);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    offsetMs,
  };
}
