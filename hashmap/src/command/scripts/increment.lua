local key, field, millis, ttl, from = KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[1]
if #ARGV > 4 and not redis.call('HGET', key, field) then
    for i = #ARGV, 5, -1 do
        if redis.call('HGET', key, ARGV[i]) then from = ARGV[i] end
    end
end
local timeless = millis ~= '0' and redis.call('HPTTL', key, 'FIELDS', 1, from)[1] < 0
local left = from ~= field and redis.pcall('HPTTL', key, 'FIELDS', 1, from)[1] or -1
if timeless and not may('HPEXPIRE', key, 1, 'FIELDS', 1, field) then return denied end
if ttl ~= '0' and not may('PEXPIRE', key, 1) then return denied end
if from ~= field and not may('HSET', key, field, 'v') then return denied end
if left >= 0 and not may('HSETEX', key, 'PX', 1, 'FIELDS', 1, field, 'v') then return denied end
if #ARGV > 4 and not may('HDEL', key, field) then return denied end
redis.call('HINCRBY', key, from, ARGV[2])
local sum = redis.call('HGET', key, from)
if left >= 0 then
    redis.call('HSETEX', key, 'PX', math.max(left, 1), 'FIELDS', 1, field, sum)
elseif from ~= field then
    redis.call('HSET', key, field, sum)
end
if #ARGV > 4 then redis.call('HDEL', key, unpack(ARGV, 5)) end
if timeless then redis.call('HPEXPIRE', key, millis, 'FIELDS', 1, field) end
if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
return sum
