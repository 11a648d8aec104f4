/**
 * How every script begins. KEYS[1] = `<prefix>{<tag>}:z`: the holds by end of lease, from which the prefix is cut.
 * ARGV[1..3] = time offset, how long ids are remembered, how long a window is kept after its end; milliseconds.
 */
export const header = `
local call, match, format = redis.call, string.match, string.format
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
`;

/**
 * Counters, read once and written together at the end of a script, so that nothing is written before everything is
 * known to be right.
 *
 * A calendar window is a string, `committed held limit endsAt told`, where told is packed: the marks that were told, each
 * with the post that was told of it. A rolling window is a hash: the same in the fields c, h, l, m, the length of a part
 * in w, how many parts in s, the part up to which it is turned in p, and the amount of each part in a field named by its
 * number. Its time never goes back.
 */
export const counters = `
local base = string.sub(KEYS[1], 1, -2)
local skip = #base + 1
local remember = ARGV[2]
local grace = tonumber(ARGV[3])
local known, dirty = {}, {}

local function parse(name, value)
  local counter
  if value then
    local c, h, l, e, m = match(value, '^(%d+) (%d+) (%S+) (%S+) ?(.*)$')
    counter = { name = name, c = num(c), h = num(h), l = l, e = e, m = m, old = true }
  else
    counter = { name = name, c = 0, h = 0, l = '-', e = '-', m = '' }
  end
  known[name] = counter
  return counter
end

-- In a window that rolls, a mark can be crossed anew once the window was below it.
local function rearm(counter)
  if not counter.parts or counter.m == '' then return end
  local told, kept = { cmsgpack.unpack(counter.m) }, {}
  for i = 1, #told, 2 do
    if le(num(told[i]), counter.c) then
      kept[#kept + 1], kept[#kept + 2] = told[i], told[i + 1]
    end
  end
  if #kept < #told then counter.m = kept[1] and cmsgpack.pack(unpack(kept)) or '' end
end

local function ring(name, width, slots)
  local f = call('HMGET', base .. name, 'c', 'h', 'l', 'm', 'p', 's', 'w')
  local counter
  if f[1] then
    counter = { name = name, c = num(f[1]), h = num(f[2]), l = f[3], m = f[4], s = tonumber(f[6]), w = tonumber(f[7]),
      parts = {}, gone = {}, old = true }
    local last = tonumber(f[5])
    counter.p = math.max(last, math.floor(now / counter.w))
    if counter.p > last then
      -- Parts that were counted and are not any more.
      for part = last - counter.s, math.min(last, counter.p - counter.s - 1) do
        counter.gone[#counter.gone + 1] = format('%d', part)
      end
      if #counter.gone > 0 then
        for _, amount in ipairs(call('HMGET', base .. name, unpack(counter.gone))) do
          if amount then counter.c = sub(counter.c, num(amount)) end
        end
      end
    end
  elseif width then
    counter = { name = name, c = 0, h = 0, l = '-', m = '', s = slots, w = width, p = math.floor(now / width),
      parts = {}, gone = {} }
  else
    return nil
  end
  known[name] = counter
  rearm(counter)
  return counter
end

-- A counter that a record names; nil when it is gone.
local function find(name)
  local counter = known[name]
  if counter then return counter end
  if string.byte(name) == 114 then return ring(name) end
  local value = call('GET', base .. name)
  return value and parse(name, value)
end

-- A counter that the request names: when is '' (never ends), the end in milliseconds, or 'r<part length>:<parts>'.
local function open(name, when, value)
  local counter = known[name]
  if string.byte(name) ~= 114 then
    counter = counter or parse(name, value)
    counter.ends = tonumber(when)
    return counter
  end
  if counter then return counter end
  local width, slots = match(when, '^r(%d+):(%d+)$')
  return ring(name, tonumber(width), tonumber(slots))
end

local function touch(counter)
  if not counter.dirty then
    counter.dirty = true
    dirty[#dirty + 1] = counter
  end
end

-- Commits an amount, or takes it back (never below nothing).
local function commit(counter, part, amount, back)
  if counter.parts then
    part = math.min(part, counter.p)
    if part < counter.p - counter.s then return end
    local there = counter.parts[part] or num(call('HGET', base .. counter.name, format('%d', part)) or '0')
    if back then
      if not le(amount, there) then amount = there end
      counter.parts[part] = sub(there, amount)
    else
      counter.parts[part] = add(there, amount)
    end
  end
  counter.c = back and sub(counter.c, amount) or add(counter.c, amount)
end

local function save(lease)
  local alive = now + lease
  for _, counter in ipairs(dirty) do
    local key = base .. counter.name
    if counter.parts then
      local fields = { 'c', text(counter.c), 'h', text(counter.h), 'l', counter.l, 'm', counter.m,
        'p', format('%d', counter.p), 's', counter.s, 'w', counter.w }
      for part, amount in pairs(counter.parts) do
        fields[#fields + 1] = format('%d', part)
        fields[#fields + 1] = text(amount)
      end
      if #counter.gone > 0 then call('HDEL', key, unpack(counter.gone)) end
      call('HSET', key, unpack(fields))
      local keep = math.max(counter.w * (counter.s + 1), lease) + grace
      if call('PTTL', key) < keep then call('PEXPIRE', key, keep) end
    else
      local ends, ttl = counter.ends
      if ends then
        if not counter.old or ends < alive then
          ttl = math.max(ends, alive) + grace - now
          if counter.old and call('PTTL', key) >= ttl then ttl = nil end
        end
        if counter.e == '-' or tonumber(counter.e) < ends then counter.e = format('%d', ends) end
      end
      local value = text(counter.c) .. ' ' .. text(counter.h) .. ' ' .. counter.l .. ' ' .. counter.e .. ' ' .. counter.m
      if ttl then call('SET', key, value, 'PX', format('%d', ttl)) else call('SET', key, value, 'KEEPTTL') end
    end
  end
end
`;
