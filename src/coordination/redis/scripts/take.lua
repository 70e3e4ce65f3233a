-- Takes a token for one call: GCRA, below it the adaptive rate, above both the circuit breaker.
-- KEYS: the rate. ARGV: interval, burst, 1 for background, when the bucket was certainly empty,
-- 1 if one that was taken before was not used.
-- All times are in microseconds. The arithmetic is that of local/rates.rs.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local h = redis.call('HMGET', KEYS[1], 'arrival', 'factor', 'last', 'held', 'open', 'probe', 'cause',
  'throttles', 'outages')
local function number(index, default) return tonumber(h[index] or default) end
local function text(value) return string.format('%.0f', value) end

local known = number(1, 0)
if ARGV[5] == '1' then
  known = known - interval
  redis.call('HSET', KEYS[1], 'arrival', text(known))
end

local is_probe = 0
local open = number(5, 0)
if open > 0 then
  if now < open then return {'open', text(open - now), h[7] or ''} end
  local probe = number(6, 0)
  if now < probe then return {'wait', text(math.min(probe - now, 250000)), ''} end
  is_probe = 1
end

local spare = 0
if ARGV[3] == '1' and burst > 1 then spare = 1 end
local arrival = math.max(known, tonumber(ARGV[4]) + interval * burst, now)
local earliest = math.max(arrival + interval - interval * (burst - spare), number(4, 0))
local factor = number(2, 1)
if factor < 1 then earliest = math.max(earliest, number(3, 0) + interval / factor) end
if earliest > now then return {'wait', text(earliest - now), ''} end

redis.call('HSET', KEYS[1], 'arrival', text(arrival + interval), 'last', text(now))
if is_probe == 1 then redis.call('HSET', KEYS[1], 'probe', text(now + 60000000)) end
redis.call('PEXPIRE', KEYS[1], 7200000)
local troubled = '0'
if factor < 1 or number(8, 0) > 0 or number(9, 0) > 0 then troubled = '1' end
return {'taken', text(now), tostring(factor), tostring(is_probe), troubled}
