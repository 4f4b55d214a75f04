local key, field, millis, ttl = KEYS[1], ARGV[1], ARGV[3], ARGV[4]
local timeless = millis ~= '0' and redis.call('HPTTL', key, 'FIELDS', 1, field)[1] < 0
if timeless and not may('HPEXPIRE', key, 1, 'FIELDS', 1, field) then return denied end
if ttl ~= '0' and not may('PEXPIRE', key, 1) then return denied end
redis.call('HINCRBY', key, field, ARGV[2])
if timeless then redis.call('HPEXPIRE', key, millis, 'FIELDS', 1, field) end
if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
return redis.call('HGET', key, field)
