import { counters, header } from './counters.ts';
import { holds } from './holds.ts';
import { numbers } from './numbers.ts';
import { type Script, script } from './script.ts';

/**
 * KEYS: z, hold, counters. ARGV: the three of every script, lease (ms), expiry ('b' or 'r'), names and amounts in one as
 * the record of a hold has them, and for each line amount, limit ('-': none), when.
 *
 * Answers 1: admitted. Otherwise { 0, line, committed, held }: refused; { 2 }: on other keys; { 3 }: over;
 * { 4 }: ask again, more leases are over than one go may sweep.
 */
export const reserveScript: Script = script(
  'reserve',
  header,
  `
-- The usual case, and nothing but that: a new hold on counters of the calendar that are there, with small figures and the
-- limit of before; or the same hold again. Every number that is read from a text costs, and most lines ask for the same.
local K, A = KEYS, ARGV
local record = call('GET', K[2])
if record then
  local ends, at = match(record, '^h(%d+) %a %d+ ()')
  if ends and tonumber(ends) > now and string.sub(record, at) == A[6] then return 1 end
end
local values = K[3] and call('MGET', unpack(K, 3)) or {}
local function isDue()
  return call('ZRANGEBYSCORE', K[1], '-inf', format('%d', now), 'LIMIT', '0', '1')[1]
end
-- Leases that are over are swept now and then: not here.
if not record and (time[2] % 16 ~= 0 or not isDue()) then
  local count, alive, ttl = #K - 2, now + A[4], 0
  local texts, simple = {}, count > 0
  local asked, amount, atMost, most
  for i = 1, count do
    local value, when = values[i], A[6 + 3 * i]
    local ends = when ~= '' and tonumber(when)
    local c, h, limit, rest
    if value and (ends or when == '') then c, h, limit, rest = match(value, '^(%d+) (%d+) (%S+)(.*)$') end
    if limit ~= A[5 + 3 * i] or (ends and ends < alive) then
      simple = false
      break
    end
    if asked ~= A[4 + 3 * i] then
      asked = A[4 + 3 * i]
      amount = tonumber(asked)
    end
    if atMost ~= limit then
      atMost, most = limit, 4503599627370496
      if limit ~= '-' then most = math.min(tonumber(limit), most) end
    end
    local held = h + amount
    if not (c + held <= most) then
      simple = false
      break
    end
    texts[i] = c .. ' ' .. format('%d', held) .. ' ' .. limit .. rest
    if not ends then ttl = nil elseif ttl and ends - now > ttl then ttl = ends - now end
  end
  if simple then
    local before, alive = call('PTTL', K[1]), format('%d', alive)
    call('ZADD', K[1], alive, string.sub(K[2], #K[1] + 2))
    record = 'h' .. alive .. ' ' .. A[5] .. ' ' .. format('%d', now) .. ' ' .. A[6]
    if ttl then
      ttl = ttl + A[3]
      if before == -2 or (before >= 0 and before < ttl) then call('PEXPIRE', K[1], format('%d', ttl)) end
      call('SET', K[2], record, 'PX', format('%d', ttl))
    else
      if before >= 0 then call('PERSIST', K[1]) end
      call('SET', K[2], record)
    end
    -- In place, which keeps their time to live: more is held than before, so that no text is shorter than it was.
    for i = 1, count do call('SETRANGE', K[2 + i], '0', texts[i]) end
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
    if hold[4 * i + 2] ~= ARGV[4 + 3 * i] then same = false end
  end
  if same then return 1 end
end

local lines, amounts = {}, {}
local function limitOf(i)
  local limit = ARGV[5 + 3 * i]
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
  lines[i] = open(string.sub(KEYS[2 + i], skip), ARGV[6 + 3 * i], values[i])
  local amount = num(ARGV[4 + 3 * i])
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
      local counter, limit = lines[i], ARGV[5 + 3 * i]
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
  local counter, amount, limit = lines[i], amounts[i], ARGV[5 + 3 * i]
  if amount ~= 0 or counter.l ~= limit or not counter.old then
    counter.h = add(counter.h, amount)
    counter.l = limit
    touch(counter)
  end
  if not counter.ends then ttl = nil elseif ttl then ttl = math.max(ttl, counter.ends - now, lease) end
  local at = 4 * i + 1
  if not hold[at] then
    hold[at], hold[at + 1], hold[at + 2], hold[at + 3] = counter.name, ARGV[4 + 3 * i], ARGV[4 + 3 * i], counter.p or 0
  elseif amount ~= 0 then
    hold[at + 1], hold[at + 2] = ARGV[4 + 3 * i], add(num(hold[at + 2]), amount)
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
