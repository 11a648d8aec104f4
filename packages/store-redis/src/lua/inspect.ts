import { counters, header } from './counters.ts';
import { holds } from './holds.ts';
import { numbers } from './numbers.ts';
import { type Script, script } from './script.ts';

/**
 * KEYS: z, counters. ARGV: the three of every script. Answers { 1 if there is more to sweep, then
 * committed, held of each }.
 */
export const statusScript: Script = script(
  'status',
  header,
  numbers,
  counters,
  holds,
  `
local swept, write = sweep(128)
local answer = { swept == 128 and 1 or 0 }
for i = 2, #KEYS do
  local counter = find(string.sub(KEYS[i], skip))
  answer[#answer + 1] = counter and text(counter.c) or '0'
  answer[#answer + 1] = counter and text(counter.h) or '0'
end
write()
save(0)
return answer
`,
);

const details = `
-- What a key of the ledger needs beside its name: when it ends, or how it rolls.
local function shape(counter)
  if not counter then return '-' end
  if counter.parts then return 'r' .. format('%d', counter.w) .. ':' .. format('%d', counter.s) end
  return counter.e
end
`;

/**
 * KEYS: z. ARGV: the three of every script, cursor. One step through the keys of the node. Answers { cursor, then name,
 * committed, held, limit, shape of each counter }.
 */
export const countersScript: Script = script(
  'counters',
  header,
  numbers,
  counters,
  details,
  `
local pattern = string.gsub(base, '[][*?\\\\]', '\\\\%0') .. '[cr]:*'
local step = call('SCAN', ARGV[4], 'MATCH', pattern, 'COUNT', 1000)
local answer = { step[1] }
for _, found in ipairs(step[2]) do
  local counter = find(string.sub(found, skip))
  if counter then
    local at = #answer
    answer[at + 1], answer[at + 2], answer[at + 3] = counter.name, text(counter.c), text(counter.h)
    answer[at + 4], answer[at + 5] = counter.l, shape(counter)
  end
end
return answer
`,
);

/**
 * KEYS: z. ARGV: the three of every script, first, last. Answers for each hold, by end of lease: { id, lease left,
 * expiry, then name, left, shape of each line }.
 */
export const holdsScript: Script = script(
  'holds',
  header,
  numbers,
  counters,
  holds,
  details,
  `
local answer = {}
for _, id in ipairs(call('ZRANGE', KEYS[1], ARGV[4], ARGV[5])) do
  local value = call('GET', base .. 'h:' .. id)
  local hold = value and unpackHold(value)
  local row = { id, '0', 'r' }
  if hold and hold[1] == 'h' and hold[2] > now then
    row[2], row[3] = format('%d', hold[2] - now), hold[3]
    for i = 5, #hold, 4 do
      row[#row + 1], row[#row + 2], row[#row + 3] = hold[i], text(num(hold[i + 2])), shape(find(hold[i]))
    end
  end
  answer[#answer + 1] = row
end
return answer
`,
);

/** KEYS: z, counter. ARGV: the three of every script. */
export const resetScript: Script = script(
  'reset',
  header,
  numbers,
  counters,
  `
local counter = find(string.sub(KEYS[2], skip))
if not counter then return 0 end
counter.c, counter.m = 0, ''
if counter.parts then
  counter.gone, counter.parts = {}, {}
  for _, field in ipairs(call('HKEYS', KEYS[2])) do
    if tonumber(field) then counter.gone[#counter.gone + 1] = field end
  end
end
touch(counter)
save(0)
return 1
`,
);
