-- Ends a lock, if it is still the owner's. KEYS: the lock. ARGV: the token.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
