/**
 * Whole numbers >= 0 of any size (20 digits at least), exact. Lua 5.1 has only doubles, which are exact to 2^53. So a
 * number up to 2^52 is a Lua number, whose sums and differences are exact; a larger one is its decimal digits, and is
 * worked on in two halves of ten digits.
 */
export const numbers = `
local function num(digits)
  local n = tonumber(digits)
  if n <= 4503599627370496 then return n end
  return digits
end
local function text(n)
  if type(n) == 'number' then return string.format('%d', n) end
  return n
end
local function halves(n)
  local digits = text(n)
  if #digits <= 10 then return 0, tonumber(digits) end
  return tonumber(string.sub(digits, 1, -11)), tonumber(string.sub(digits, -10))
end
local function join(high, low)
  if high == 0 then return low end
  return num(string.format('%d%010d', high, low))
end
local function add(a, b)
  if type(a) == 'number' and type(b) == 'number' then
    local sum = a + b
    if sum <= 4503599627370496 then return sum end
    return string.format('%d', sum)
  end
  local aHigh, aLow = halves(a)
  local bHigh, bLow = halves(b)
  local high, low = aHigh + bHigh, aLow + bLow
  if low >= 10000000000 then high, low = high + 1, low - 10000000000 end
  return join(high, low)
end
-- a - b, and 0 where that is negative
local function sub(a, b)
  if type(a) == 'number' and type(b) == 'number' then
    if a > b then return a - b end
    return 0
  end
  local aHigh, aLow = halves(a)
  local bHigh, bLow = halves(b)
  local high, low = aHigh - bHigh, aLow - bLow
  if low < 0 then high, low = high - 1, low + 10000000000 end
  if high < 0 then return 0 end
  return join(high, low)
end
-- a <= b
local function le(a, b)
  if type(a) == 'number' then return type(b) == 'string' or a <= b end
  if type(b) == 'number' then return false end
  if #a ~= #b then return #a < #b end
  return a <= b
end
`;
