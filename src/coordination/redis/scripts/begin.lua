-- Takes the lock on a kind of reads of a unit. KEYS: the lock, the board.
-- ARGV: the owner, the time that the lock lives, in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(value) return string.format('%.0f', value) end
local version = redis.call('HGET', KEYS[2], 'version') or '0'
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then
  local left = math.max(redis.call('PTTL', KEYS[1]), 1)
  return {'held', text(now + left * 1000), version}
end
local last = tonumber(redis.call('HGET', KEYS[2], 'token') or '0')
local token = text(math.max(now, last + 1))
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], 'token', token)
redis.call('PEXPIRE', KEYS[2], 604800000)
return {'granted', token, version}
