import { counters, header } from './counters.ts';
import { holds } from './holds.ts';
import { numbers } from './numbers.ts';
import { type Script, script } from './script.ts';

/** KEYS: z, hold. ARGV: the three of every script. Ends a hold, or remembers that it is over before it came. */
export const closeScript: Script = script(
  'close',
  header,
  numbers,
  counters,
  holds,
  `
local id = string.sub(KEYS[2], skip + 2)
local value = call('GET', KEYS[2])
local hold = value and unpackHold(value)
if hold and hold[1] == 'x' then return 0 end
-- A lease that is over, and booked, would be given back at once: no need to look.
if hold then free(hold) end
call('ZREM', KEYS[1], id)
over(id, hold)
save(0)
return 1
`,
);

/** KEYS: z, hold. ARGV: the three of every script, lease (ms). Answers 1 if the hold is alive, and lives on, else 0. */
export const renewScript: Script = script(
  'renew',
  header,
  numbers,
  counters,
  holds,
  `
local id = string.sub(KEYS[2], skip + 2)
local value = call('GET', KEYS[2])
local hold = value and unpackHold(value)
if not hold or hold[1] ~= 'h' then return 0 end
if hold[2] <= now then
  local write = expire(id, hold)
  call('ZREM', KEYS[1], id)
  write()
  save(0)
  return 0
end
hold[2] = math.max(hold[2], now + ARGV[4])
call('ZADD', KEYS[1], format('%d', hold[2]), id)
call('SET', KEYS[2], packHold(hold), 'KEEPTTL')
-- Nothing that the hold stands on goes before it does.
local keep = hold[2] - now + grace
local function outlive(key)
  local ttl = call('PTTL', key)
  if ttl >= 0 and ttl < keep then call('PEXPIRE', key, format('%d', keep)) end
end
outlive(KEYS[1])
outlive(KEYS[2])
for i = 5, #hold, 4 do outlive(base .. hold[i]) end
return 1
`,
);
