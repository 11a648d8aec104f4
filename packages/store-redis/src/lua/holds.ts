/**
 * Holds. A record is a text: its state ('h' held, 'b' booked by its expiry), when its lease ends, what becomes of it then
 * ('b' booked, 'r' released), when it was admitted, how many bytes of names follow; then the names of the counters, each
 * after its length; then for each line what was asked for, what is left of it, and the part of a rolling window in which
 * it was first admitted. Of a hold that is over stays 'x' and when it was admitted, if it was.
 *
 * Here it is an array: state, end, expiry, admitted, then name, total, left, part of each line.
 */
export const holds = `
-- Frees what is left on each line; booked when that is what its owner said of its end.
local function free(hold, book)
  for i = 5, #hold, 4 do
    local left = num(hold[i + 2])
    if left ~= 0 then
      local counter = find(hold[i])
      if counter then
        if hold[1] == 'h' then counter.h = sub(counter.h, left) else commit(counter, hold[i + 3], left, true) end
        if book then commit(counter, hold[i + 3], left) end
        touch(counter)
      end
    end
  end
end

local function over(id, hold)
  local admitted = hold and hold[4] and format('%d', hold[4]) or ''
  call('SET', base .. 'h:' .. id, 'x' .. admitted, 'PX', remember)
end

local function unpackNames(names)
  local list, at = {}, 1
  while at <= #names do
    local length, from = match(names, '^(%d+):()', at)
    at = from + length
    list[#list + 1] = string.sub(names, from, at - 1)
  end
  return list
end

local function unpackHold(value)
  if string.byte(value) == 120 then return { 'x', 0, 'r', tonumber(string.sub(value, 2)) } end
  local state, ends, expiry, admitted, length, at = match(value, '^(.)(%d+) (%a) (%d+) (%d+) ()')
  local hold = { state, tonumber(ends), expiry, tonumber(admitted) }
  local names = unpackNames(string.sub(value, at, at + length - 1))
  for total, left, part in string.gmatch(string.sub(value, at + length), '(%d+) (%d+) (%d+) ') do
    local i = #hold
    hold[i + 1], hold[i + 2], hold[i + 3], hold[i + 4] = names[i / 4], total, left, tonumber(part)
  end
  return hold
end

local function packHold(hold)
  local names, amounts = {}, {}
  for i = 5, #hold, 4 do
    local at = #names
    names[at + 1], names[at + 2], names[at + 3] = #hold[i], ':', hold[i]
    amounts[#amounts + 1] = hold[i + 1] .. ' ' .. text(num(hold[i + 2])) .. ' ' .. text(hold[i + 3]) .. ' '
  end
  names = table.concat(names)
  return format('%s%d %s %d %d ', hold[1], hold[2], hold[3], hold[4], #names) .. names .. table.concat(amounts)
end

-- Ends a hold whose lease is over. The record is written at the end, by the function returned.
local function expire(id, hold)
  if hold[3] == 'b' then
    free(hold, true)
    hold[1] = 'b'
    return function() call('SET', base .. 'h:' .. id, packHold(hold), 'PX', remember) end
  end
  free(hold)
  for i = #hold, 5, -1 do hold[i] = nil end
  hold[1] = 'x'
  return function() over(id, hold) end
end

-- Ends at most so many holds whose leases are over, but for one. Returns how many, and how to write it.
local function sweep(count, except)
  local due = call('ZRANGEBYSCORE', KEYS[1], '-inf', format('%d', now), 'LIMIT', 0, count)
  local ends = {}
  for _, id in ipairs(due) do
    local value = id ~= except and call('GET', base .. 'h:' .. id)
    local hold = value and unpackHold(value)
    if hold and hold[1] == 'h' then ends[#ends + 1] = expire(id, hold) end
  end
  return #due, function()
    if #due == 0 then return end
    call('ZREM', KEYS[1], unpack(due))
    for _, write in ipairs(ends) do write() end
  end
end
`;
