-- Tells that a replica lives, and that the store can be written. KEYS: the replicas, from when on
-- they share the rates, and their places.
-- ARGV: the replica, how long it counts, 1 for one that was away, how long all have to come back,
-- and the place that it had, or -1.
-- Returns the time, the count, the replica's place among all, and from when on they share.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(value) return string.format('%.0f', value) end
redis.call('ZADD', KEYS[1], text(now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], 3600000)
local count = redis.call('ZCARD', KEYS[1])

-- A replica keeps its place while it lives: with turns by a count of those before it, two would go
-- at one time when one joins and the store is lost before the others hear of it.
local taken, place = {}, nil
local places = redis.call('HGETALL', KEYS[3])
for at = 1, #places, 2 do
  if places[at] == ARGV[1] then
    place = tonumber(places[at + 1])
  elseif redis.call('ZSCORE', KEYS[1], places[at]) then
    taken[tonumber(places[at + 1])] = true
  else
    redis.call('HDEL', KEYS[3], places[at])
  end
end
if not place then
  local before = tonumber(ARGV[5])
  if before >= 0 and not taken[before] then
    place = before
  else
    place = 0
    while taken[place] do place = place + 1 end
  end
  redis.call('HSET', KEYS[3], ARGV[1], text(place))
end
redis.call('PEXPIRE', KEYS[3], 3600000)

local from = redis.call('GET', KEYS[2])
if not from and ARGV[3] == '1' then
  from = text(now + tonumber(ARGV[4]))
  redis.call('SET', KEYS[2], from, 'PX', 60000)
end
return {text(now), text(count), text(place), from or '0'}
