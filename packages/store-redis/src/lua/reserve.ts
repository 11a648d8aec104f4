import { counters, header } from './counters.ts';
import { holds } from './holds.ts';
import { numbers } from './numbers.ts';
import { type Script, script } from './script.ts';

/**
 * KEYS: z, hold, counters. ARGV: the three of every script, lease (ms), expiry ('b' or 'r'), names and amounts as a hold's
 * record has them, and for each line amount, limit ('-': none), when.
 *
 * Answers 1: admitted. Otherwise { 0, line, committed, held }: refused; { 2 }: on other keys; { 3 }: over;
 * { 4 }: ask again, more leases are over than one go may sweep.
 */
export const reserveScript: Script = script(
  'reserve',
  header,
  `
-- The usual case, and nothing but that: a new hold on counters of the calendar that are there, with small figures and the
-- limit of before; or the same hold again.
local record = call('GET', KEYS[2])
if record then
  local ends, length, at = match(record, '^h(%d+) %a %d+ (%d+) ()')
  if ends and tonumber(ends) > now and string.sub(record, at) == ARGV[6] .. ARGV[7] then return 1 end
end
local values = #KEYS > 2 and call('MGET', unpack(KEYS, 3)) or {}
if not record and time[2] % 16 ~= 0 then
  local count, alive, ttl = #KEYS - 2, now + ARGV[4], 0
  local texts, simple = {}, true
  for i = 1, count do
    local value, ends = values[i], tonumber(ARGV[7 + 3 * i])
    local c, h, limit, rest
    if value and (ends or ARGV[7 + 3 * i] == '') then c, h, limit, rest = match(value, '^(%d+) (%d+) (%S+)(.*)$') end
    local used = c and c + h + ARGV[5 + 3 * i]
    if not c or limit ~= ARGV[6 + 3 * i] or not (used <= 4503599627370496) or (ends and ends < alive)
      or not (limit == '-' or used <= tonumber(limit)) then
      simple = false
      break
    end
    texts[i] = format('%s %d %s%s', c, h + ARGV[5 + 3 * i], limit, rest)
    if not ends then ttl = nil elseif ttl and ends - now > ttl then ttl = ends - now end
  end
  if simple and count > 0 then
    local before = call('PTTL', KEYS[1])
    call('ZADD', KEYS[1], format('%d', alive), string.sub(KEYS[2], #KEYS[1] + 2))
    record = format('h%d %s %d %d ', alive, ARGV[5], now, #ARGV[6]) .. ARGV[6] .. ARGV[7]
    if ttl then
      ttl = ttl + ARGV[3]
      if before == -2 or (before >= 0 and before < ttl) then call('PEXPIRE', KEYS[1], format('%d', ttl)) end
      call('SET', KEYS[2], record, 'PX', format('%d', ttl))
    else
      if before >= 0 then call('PERSIST', KEYS[1]) end
      call('SET', KEYS[2], record)
    end
    for i = 1, count do call('SET', KEYS[2 + i], texts[i], 'KEEPTTL') end
    return 1
  end
end
`,
  numbers,
  counters,
  holds,
  `
local lease = tonumber(ARGV[4])
local id = string.sub(KEYS[2], skip + 2)
local hold = record and unpackHold(record)
local count = #KEYS - 2

if hold then
  if hold[1] ~= 'h' then return { 3 } end
  if hold[2] <= now then
    local write = expire(id, hold)
    call('ZREM', KEYS[1], id)
    write()
    save(0)
    return { 3 }
  end
  if #hold ~= 4 + 4 * count then return { 2 } end
  local same = true
  for i = 1, count do
    if hold[4 * i + 1] ~= string.sub(KEYS[2 + i], skip) then return { 2 } end
    if hold[4 * i + 2] ~= ARGV[5 + 3 * i] then same = false end
  end
  if same then return 1 end
end

local lines, amounts = {}, {}
local function limitOf(i)
  local limit = ARGV[6 + 3 * i]
  return num(limit == '-' and '4611686018427387904' or limit)
end
local function misfit()
  for i = 1, count do
    local counter, amount = lines[i], amounts[i]
    if amount ~= 0 and not le(add(add(counter.c, counter.h), amount), limitOf(i)) then return i end
  end
end
-- Leases that are over are swept now and then, and always before somebody is refused.
local swept, write = 0, nil
if time[2] % 16 == 0 then swept, write = sweep(16) end
for i = 1, count do
  lines[i] = open(string.sub(KEYS[2 + i], skip), ARGV[7 + 3 * i], values[i])
  local amount = num(ARGV[5 + 3 * i])
  if hold then amount = sub(amount, num(hold[4 * i + 2])) end
  amounts[i] = amount
end
local at = misfit()
if at then
  local most = 16
  if not write then
    most = 128
    swept, write = sweep(most)
    at = misfit()
  end
  if at then
    for i = 1, count do
      local counter, limit = lines[i], ARGV[6 + 3 * i]
      if counter.old and counter.l ~= limit then
        counter.l = limit
        touch(counter)
      end
    end
    if dirty[1] then call('ZREMRANGEBYSCORE', KEYS[1], '(0', '(0') end
    write()
    save(0)
    if swept == most then return { 4 } end
    return { 0, at, text(lines[at].c), text(lines[at].h) }
  end
end

if hold then lease = hold[2] - now else hold = { 'h', now + lease, ARGV[5], now } end
local ttl = 0
for i = 1, count do
  local counter, amount, limit = lines[i], amounts[i], ARGV[6 + 3 * i]
  if amount ~= 0 or counter.l ~= limit or not counter.old then
    counter.h = add(counter.h, amount)
    counter.l = limit
    touch(counter)
  end
  if not counter.ends then ttl = nil elseif ttl then ttl = math.max(ttl, counter.ends - now, lease) end
  local at = 4 * i + 1
  if not hold[at] then
    hold[at], hold[at + 1], hold[at + 2], hold[at + 3] = counter.name, ARGV[5 + 3 * i], ARGV[5 + 3 * i], counter.p or 0
  elseif amount ~= 0 then
    hold[at + 1], hold[at + 2] = ARGV[5 + 3 * i], add(num(hold[at + 2]), amount)
  end
end
if ttl then ttl = ttl + grace end

-- From here on nothing can fail but the first write, when the memory is full.
local before = call('PTTL', KEYS[1])
call('ZADD', KEYS[1], format('%d', hold[2]), id)
if write then write() end
-- A hold lives at least as long as what it holds on; the list of holds as long as the longest of them.
if not ttl then
  if before >= 0 then call('PERSIST', KEYS[1]) end
  call('SET', KEYS[2], packHold(hold))
else
  if before == -2 or (before >= 0 and before < ttl) then call('PEXPIRE', KEYS[1], format('%d', ttl)) end
  call('SET', KEYS[2], packHold(hold), 'PX', format('%d', ttl))
end
save(lease)
return 1
`,
);
