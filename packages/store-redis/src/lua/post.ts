import { counters, header } from './counters.ts';
import { holds } from './holds.ts';
import { numbers } from './numbers.ts';
import { type Script, script } from './script.ts';

/**
 * KEYS: z, attempt, hold ('' in ARGV[5]: none, the key is there all the same), counters. ARGV: the three of every script,
 * kind ('a' or 'e'), 'h' under a hold, 'hc' to close it too, names (after how many bytes
 * they are) and amounts as the attempt's record has them, and for each line amount, when, marks ('' or numbers with
 * spaces between).
 *
 * What is booked for an attempt is a text: how many bytes of names follow, the names of the counters, each after its
 * length, and for each line kind, amount, part of a rolling window.
 *
 * Answers 0, or { line, mark, committed, … }: the marks crossed.
 */
export const postScript: Script = script(
  'post',
  header,
  `
-- The usual case, and nothing but that: the first booking of an attempt, which closes its hold, on the same counters of
-- the calendar, with small figures, and no mark that is not told.
-- Or the same again.
local K, A = KEYS, ARGV
local values = call('MGET', unpack(K, 2))
if values[1] and A[4] == 'a' and values[1] == A[6] .. A[7]
  and (A[5] == '' or (values[2] and string.byte(values[2]) == 120)) then
  local marked = false
  for i = 10, #A, 3 do marked = marked or A[i] ~= '' end
  if not marked then return 0 end
end
if not values[1] and values[2] and A[5] == 'hc' then
  local hold, names = values[2], A[6]
  local ends, admitted, at = match(hold, '^h(%d+) %a (%d+) ()')
  if ends and tonumber(ends) > now and string.sub(hold, at, at + #names - 1) == names then
    at = at + #names
    local count, texts, marked, simple = #K - 3, {}, false, true
    local drawn, left, asked, amount
    for i = 1, count do
      local value, when = values[2 + i], A[6 + 3 * i]
      local ends = when ~= '' and tonumber(when)
      local c, h, rest, was
      if value and (ends or when == '') then
        c, h, rest = match(value, '^(%d+) (%d+) (.*)$')
        was, at = match(hold, '^%d+ (%d+) 0 ()', at)
      end
      if not c or not was or (ends and ends < now) then
        simple = false
        break
      end
      if drawn ~= was then
        drawn = was
        left = tonumber(was)
      end
      if asked ~= A[5 + 3 * i] then
        asked = A[5 + 3 * i]
        amount = tonumber(asked)
      end
      local committed, held = tonumber(c), tonumber(h)
      if not (committed + held <= 2251799813685248) or not (amount + left <= 2251799813685248) or held < left then
        simple = false
        break
      end
      committed = committed + amount
      local marks = A[7 + 3 * i]
      if marks ~= '' then
        marked = true
        if tonumber(match(marks, '^%d+')) <= committed then
          local told = match(rest, '^%S+ %S+ (.+)$')
          told = told and { cmsgpack.unpack(told) } or {}
          local isTold = {}
          for k = 1, #told, 2 do isTold[told[k]] = true end
          for mark in string.gmatch(marks, '%d+') do
            if not isTold[mark] and tonumber(mark) <= committed then simple = false end
          end
        end
      end
      texts[i] = format('%d %d ', committed, held - left) .. rest
    end
    if simple and marked then
      local due = call('ZRANGE', K[1], '0', '0', 'WITHSCORES')
      simple = not due[2] or tonumber(due[2]) > now
    end
    if simple then
      call('ZREM', K[1], string.sub(K[3], #K[1] + 2))
      call('SET', K[3], 'x' .. admitted, 'PX', A[2])
      call('SET', K[2], names .. A[7], 'PX', A[2])
      for i = 1, count do
        -- In place where no text gets shorter.
        local key, text = K[3 + i], texts[i]
        if #text >= #values[2 + i] then call('SETRANGE', key, '0', text) else call('SET', key, text, 'KEEPTTL') end
      end
      return 0
    end
  end
end
`,
  numbers,
  counters,
  holds,
  `
local kind, under = ARGV[4], ARGV[5]
local count = #KEYS - 3
local id = under ~= '' and string.sub(KEYS[3], skip + 2)
local booked = {}
if values[1] then
  local length, at = match(values[1], '^(%d+) ()')
  local names = unpackNames(string.sub(values[1], at, at + length - 1))
  for as, amount, part in string.gmatch(string.sub(values[1], at + length), '(%a) (%d+) (%d+) ') do
    local i = #booked
    booked[i + 1], booked[i + 2], booked[i + 3], booked[i + 4] = names[i / 4 + 1], as, amount, tonumber(part)
  end
end
local hold = under ~= '' and values[2] and unpackHold(values[2])
local write, drew
if hold and hold[1] == 'h' and hold[2] <= now then write = expire(id, hold) end
-- What the end of a lease booked counts for the marks.
local swept, writeSwept = 0, nil
for i = 1, count do
  if ARGV[7 + 3 * i] ~= '' then
    swept, writeSwept = sweep(128, id)
    break
  end
end

local function key(name)
  local length, rest = match(name, '^.:(%d+):(.*)$')
  return string.sub(rest, 1, tonumber(length))
end
local function bookedAt(name)
  for at = 1, #booked, 4 do
    if booked[at] == name then return at end
  end
  if booked[1] then
    local wanted = key(name)
    for at = 1, #booked, 4 do
      if key(booked[at]) == wanted then return at end
    end
  end
end
local function heldAt(name, line)
  if not hold then return end
  if hold[4 * line + 1] == name then return 4 * line + 1 end
  for at = 5, #hold, 4 do
    if hold[at] == name then return at end
  end
end

local changed = false
for i = 1, count do
  local name, amount = string.sub(KEYS[3 + i], skip), num(ARGV[5 + 3 * i])
  local at = bookedAt(name)
  local last = at and num(booked[at + 2])
  if not at or (booked[at + 1] == 'e' and (kind == 'a' or not le(amount, last))) then
    changed = true
    local own = not at or booked[at] == name
    local counter
    if own then counter = open(name, ARGV[6 + 3 * i], values[2 + i]) else counter = find(booked[at]) end
    local line = heldAt(own and name or booked[at], i)
    if not at then
      at = #booked + 1
      booked[at], booked[at + 3] = name, 0
      if line then
        booked[at + 3] = hold[line + 3]
      elseif counter.p then
        -- Under a hold that is over, or that lacks the line, it counts from then, too.
        booked[at + 3] = hold and hold[4] and math.min(counter.p, math.floor(hold[4] / counter.w)) or counter.p
      end
    end
    booked[at + 1], booked[at + 2] = kind, ARGV[5 + 3 * i]
    if counter then
      local part = booked[at + 3]
      if last and not le(last, amount) then
        commit(counter, part, sub(last, amount), true)
      else
        local delta = last and sub(amount, last) or amount
        local left = line and num(hold[line + 2]) or 0
        local drawn = le(left, delta) and left or delta
        if drawn ~= 0 then
          hold[line + 2] = sub(left, drawn)
          -- What an expiry booked is committed already, or was, before a reset.
          if hold[1] == 'h' then counter.h = sub(counter.h, drawn) else delta = sub(delta, drawn) end
          drew = true
        end
        commit(counter, part, delta)
      end
      touch(counter)
    end
  end
end
local closing = under == 'hc' and (not hold or hold[1] ~= 'x')
if closing and hold then free(hold) end

-- Marks: each is told to one post, and to that one again.
local crossed = {}
local post = kind .. string.sub(KEYS[2], skip)
for i = 1, count do
  local marks = ARGV[7 + 3 * i]
  if marks ~= '' then
    local counter = open(string.sub(KEYS[3 + i], skip), ARGV[6 + 3 * i], values[2 + i])
    rearm(counter)
    local told, to = counter.m ~= '' and { cmsgpack.unpack(counter.m) } or {}, {}
    local before = #told
    for at = 1, before, 2 do to[told[at]] = told[at + 1] end
    for mark in string.gmatch(marks, '%d+') do
      if not to[mark] and le(num(mark), counter.c) then
        told[#told + 1], told[#told + 2], to[mark] = mark, post, post
      end
      if to[mark] == post then
        local at = #crossed
        crossed[at + 1], crossed[at + 2], crossed[at + 3] = i, mark, text(counter.c)
      end
    end
    if #told > before then
      counter.m = cmsgpack.pack(unpack(told))
      touch(counter)
    end
  end
end

if changed or closing or write or swept > 0 or dirty[1] then
  -- First a write that needs no memory: after it the others pass, however full the memory is.
  if closing or write then call('ZREM', KEYS[1], id) else call('ZREMRANGEBYSCORE', KEYS[1], '(0', '(0') end
  if swept > 0 then writeSwept() end
  if closing then
    over(id, hold)
  elseif write then
    write()
  elseif drew then
    if hold[1] == 'h' then call('SET', KEYS[3], packHold(hold), 'KEEPTTL')
    else call('SET', KEYS[3], packHold(hold), 'PX', remember) end
  end
  if changed then
    local names, amounts = {}, {}
    for i = 1, #booked, 4 do
      names[#names + 1] = #booked[i] .. ':' .. booked[i]
      amounts[#amounts + 1] = booked[i + 1] .. ' ' .. booked[i + 2] .. ' ' .. text(booked[i + 3]) .. ' '
    end
    names = table.concat(names)
    call('SET', KEYS[2], #names .. ' ' .. names .. table.concat(amounts), 'PX', remember)
  end
  save(0)
end
if not crossed[1] then return 0 end
return crossed
`,
);
