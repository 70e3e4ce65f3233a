-- Writes entries of the ledger of leases, if nothing has changed since a version, and else tells
-- the changes. KEYS: meta, entries, ends, log.
-- ARGV: generation, number, the channel and owner of the notice, then id, end and lease of each entry.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(value) return string.format('%.0f', value) end
local meta = redis.call('HMGET', KEYS[1], 'generation', 'number')
if not meta[1] then
  meta = {text(now), '0'}
  redis.call('HSET', KEYS[1], 'generation', meta[1], 'number', '0')
end
local writes = #ARGV > 4
local is_current = meta[1] == ARGV[1] and meta[2] == ARGV[2]

if writes and is_current then
  local number = text(tonumber(meta[2]) + 1)
  redis.call('HSET', KEYS[1], 'number', number)
  local entries = {}
  for i = 5, #ARGV, 3 do
    local id, ends, lease = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if lease == '' then
      redis.call('HDEL', KEYS[2], id)
      redis.call('ZREM', KEYS[3], id)
    else
      redis.call('HSET', KEYS[2], id, ends .. '|' .. lease)
      redis.call('ZADD', KEYS[3], ends, id)
    end
    redis.call('RPUSH', KEYS[4], number .. '|' .. ends .. '|' .. id .. '|' .. lease)
    entries[#entries + 1] = {id, ends, lease}
  end
  redis.call('LTRIM', KEYS[4], -512, -1)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', text(now), 'LIMIT', 0, 200)) do
    redis.call('HDEL', KEYS[2], id)
    redis.call('ZREM', KEYS[3], id)
  end
  redis.call('PUBLISH', ARGV[3], cjson.encode({by = ARGV[4], kind = 'leases', generation = meta[1],
    from = meta[2], number = number, entries = entries}))
  return {'done', meta[1], number}
end
if is_current then return {'log', meta[1], meta[2]} end

local first = redis.call('LINDEX', KEYS[4], 0)
local oldest = tonumber(meta[2])
if first then oldest = tonumber(string.match(first, '^(%d+)|')) - 1 end
if meta[1] == ARGV[1] and tonumber(ARGV[2]) >= oldest then
  local reply = {'log', meta[1], meta[2]}
  for _, line in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
    if tonumber(string.match(line, '^(%d+)|')) > tonumber(ARGV[2]) then reply[#reply + 1] = line end
  end
  return reply
end
local reply = {'all', meta[1], meta[2]}
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local ends, lease = string.match(all[i + 1], '^(%d+)|(.*)$')
  if tonumber(ends) > now then reply[#reply + 1] = meta[2] .. '|' .. ends .. '|' .. all[i] .. '|' .. lease end
end
return reply
