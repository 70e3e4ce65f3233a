-- Lets a lock live on, if it is still the owner's. KEYS: the lock. ARGV: the token, the time to live.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
