-- Tells that a replica lives, and that the store can be written. KEYS: the replicas, and from when
-- on they share the rates.
-- ARGV: the replica, how long it counts, 1 for one that was away, how long all have to come back.
-- Returns the time, the count, the replica's place among all, and from when on they share.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(value) return string.format('%.0f', value) end
redis.call('ZADD', KEYS[1], text(now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], 3600000)
local place, count = 0, 0
for _, replica in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  count = count + 1
  if replica < ARGV[1] then place = place + 1 end
end
local from = redis.call('GET', KEYS[2])
if not from and ARGV[3] == '1' then
  from = text(now + tonumber(ARGV[4]))
  redis.call('SET', KEYS[2], from, 'PX', 60000)
end
return {text(now), text(count), text(place), from or '0'}
