local key, must, ttl, keep, new, i = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == 'keep', 0, 5
if must ~= '' and (redis.call('EXISTS', key) == 1) ~= (must == 'present') then return -1 end
for _ = 1, tonumber(ARGV[4]) do
    local stored, expected = redis.call('HGET', key, ARGV[i]), ARGV[i + 1]
    if expected == '*' then
        if not stored then return -2 end
    elseif (stored and '=' .. stored or '') ~= expected then
        return -2
    end
    i = i + 2
end
local expiring = tonumber(ARGV[i])
local last = i + 1 + expiring * 3 + tonumber(ARGV[i + 1 + expiring * 3])
i = i + 1
if expiring > 0 and ARGV[i + 2] ~= 'keep' then
    redis.call('HPTTL', key, 'FIELDS', 1, ARGV[i])
    if not may('HSETEX', key, 'PX', 1, 'FIELDS', 1, 'f', 'v') then return denied end
end
if (last > i + expiring * 3 or expiring > 0) and not may('HSET', key, 'f', 'v') then return denied end
if #ARGV > last and not may('HDEL', key, 'f') then return denied end
if ttl ~= '0' and not may('PEXPIRE', key, 1) then return denied end
for _ = 1, expiring do
    local field, value, millis = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local stored = redis.call('HGET', key, field)
    if millis == 'keep' then
        local left = redis.pcall('HPTTL', key, 'FIELDS', 1, field)
        if left[1] and left[1] > 0 then
            redis.call('HSETEX', key, 'KEEPTTL', 'FIELDS', 1, field, value)
        else
            redis.call('HSET', key, field, value)
        end
    elseif not (keep and stored == value and redis.call('HPTTL', key, 'FIELDS', 1, field)[1] > 0) then
        redis.call('HSETEX', key, 'PX', millis, 'FIELDS', 1, field, value)
    end
    if not stored then new = new + 1 end
    i = i + 3
end
for from = i + 1, last, 4000 do
    new = new + redis.call('HSET', key, unpack(ARGV, from, math.min(from + 3999, last)))
end
for from = last + 1, #ARGV, 4000 do
    redis.call('HDEL', key, unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end
if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end
return new
