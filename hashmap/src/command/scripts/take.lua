local key, field, ttl = KEYS[1], ARGV[1], ARGV[2]
local stored = redis.call('HGET', key, field)
for i = 4, #ARGV do stored = stored or redis.call('HGET', key, ARGV[i]) end
if stored and string.byte(stored) == tonumber(ARGV[3]) then
    if ttl ~= '0' and not may('PEXPIRE', key, 1) then return denied end
    redis.call('HDEL', key, field, unpack(ARGV, 4))
    if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
end
return stored
