-- Posts on a unit's board. KEYS: the board.
-- ARGV: full | rows | failure, the token of the lock or 0, the bytes, when the read began, a name.
-- A field of the board is "version|started|bytes".
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(value) return string.format('%.0f', value) end
local kind, token, started = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local known = redis.call('HGET', KEYS[1], 'full_token')
if kind ~= 'rows' and known and token <= tonumber(known) then return {'0', '0'} end
local before = redis.call('HGET', KEYS[1], 'version') or '0'
local version = text(math.max(now, tonumber(before) + 1))
local field = kind
if kind == 'rows' then field = 'rows:' .. ARGV[5] end
if kind == 'full' then
  redis.call('HSET', KEYS[1], 'full_token', text(token))
  redis.call('HDEL', KEYS[1], 'failure')
  local parts = redis.call('HGETALL', KEYS[1])
  for i = 1, #parts, 2 do
    if string.sub(parts[i], 1, 5) == 'rows:' then
      local began = string.match(parts[i + 1], '^%d+|(%-?%d+)|')
      if tonumber(began) <= started then redis.call('HDEL', KEYS[1], parts[i]) end
    end
  end
end
redis.call('HSET', KEYS[1], field, version .. '|' .. ARGV[4] .. '|' .. ARGV[3], 'version', version)
redis.call('PEXPIRE', KEYS[1], 604800000)
return {before, version}
