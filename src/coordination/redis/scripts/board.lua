-- Returns the posts on a unit's board since a version. KEYS: the board. ARGV: the version.
local reply = {redis.call('HGET', KEYS[1], 'version') or '0'}
if reply[1] == '0' then return reply end
local since = tonumber(ARGV[1])
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if name == 'full' or name == 'failure' or string.sub(name, 1, 5) == 'rows:' then
    local value = redis.call('HGET', KEYS[1], name)
    if tonumber(string.match(value, '^(%d+)|')) > since then
      reply[#reply + 1] = name
      reply[#reply + 1] = value
    end
  end
end
return reply
