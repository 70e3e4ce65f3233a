-- Reports how a call has ended. KEYS: the rate.
-- ARGV: answered | throttled | failed | unknown, 1 for a probe, when it was sent, the wait that was
-- asked for, the cause, throttles and outages that open, first and longest period, a chance.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kind, is_probe = ARGV[1], ARGV[2] == '1'
local asked = tonumber(ARGV[4])
local h = redis.call('HMGET', KEYS[1], 'factor', 'held', 'open', 'period', 'throttles', 'outages',
  'throttled', 'cause')
local function number(index, default) return tonumber(h[index] or default) end
local function text(value) return string.format('%.0f', value) end
local function set(...) redis.call('HSET', KEYS[1], ...) end
local function open_for(period, least, cause)
  local wait = math.max(period * (0.9 + 0.2 * tonumber(ARGV[10])), least)
  set('open', text(now + wait), 'period', text(period), 'cause', cause, 'probe', '0')
end
local factor, open = number(1, 1), number(3, 0)

if kind == 'answered' then
  if open > 0 and not is_probe then return 0 end
  if open > 0 then
    redis.call('HDEL', KEYS[1], 'open', 'period', 'cause', 'probe')
    set('factor', tostring(math.min(factor, 0.5)), 'last', text(now))
  else
    set('factor', tostring(math.min(factor + 0.05, 1)))
  end
  set('throttles', '0', 'outages', '0')
elseif kind == 'unknown' then
  if is_probe and open > 0 then open_for(number(4, 0), 0, h[8] or '') end
else
  if asked > 0 then set('held', text(math.max(number(2, 0), now + asked))) end
  if kind == 'throttled' then
    if tonumber(ARGV[3]) <= number(7, 0) then
      if is_probe and open > 0 then open_for(number(4, 0), 0, h[8] or '') end
      return 0
    end
    set('throttled', text(now), 'factor', tostring(math.max(factor / 2, 0.0625)), 'last', text(now))
  end
  if open > 0 then
    if is_probe then
      open_for(math.min(number(4, 0) * 2, tonumber(ARGV[9])), asked, ARGV[5])
    end
    return 0
  end
  local throttles, outages = number(5, 0), number(6, 0)
  if kind == 'throttled' then throttles, outages = throttles + 1, 0 else outages = outages + 1 end
  set('throttles', text(throttles), 'outages', text(outages))
  local is_told = kind == 'throttled' and asked > 60000000
  if is_told or throttles >= tonumber(ARGV[6]) or outages >= tonumber(ARGV[7]) then
    open_for(tonumber(ARGV[8]), asked, ARGV[5])
  end
end
redis.call('PEXPIRE', KEYS[1], 7200000)
return 0
