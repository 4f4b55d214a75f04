local key, must, ttl, keep, new, i = KEYS[1], ARGV[1], ARGV[2], ARGV[3] == 'keep', 0, 5
if must ~= '' and (redis.call('EXISTS', key) == 1) ~= (must == 'present') then return -1 end
local held, stored, first = {}, false, i
for _ = 1, tonumber(ARGV[4]) do
    local expected = ARGV[i + 1]
    if not stored then
        stored = redis.call('HGET', key, ARGV[i])
        if stored and i > first and ARGV[first + 1] == '>' then held[ARGV[first]], new = ARGV[i], new - 1 end
    end
    if expected ~= '>' and expected ~= '|' then
        if expected == '*' then
            if not stored then return -2 end
        elseif expected ~= '?' and (stored and '=' .. stored or '') ~= expected then
            return -2
        end
        stored, first = false, i + 2
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
    local from = held[field] or field
    local stored = redis.call('HGET', key, from)
    if millis == 'keep' then
        local left = redis.pcall('HPTTL', key, 'FIELDS', 1, field)
        if left[1] and left[1] > 0 then
            redis.call('HSETEX', key, 'KEEPTTL', 'FIELDS', 1, field, value)
        else
            redis.call('HSET', key, field, value)
        end
    else
        local left = keep and stored == value and redis.call('HPTTL', key, 'FIELDS', 1, from)[1] or 0
        if left <= 0 then
            redis.call('HSETEX', key, 'PX', millis, 'FIELDS', 1, field, value)
        elseif from ~= field then
            redis.call('HSETEX', key, 'PX', left, 'FIELDS', 1, field, value)
        end
    end
    if not stored or from ~= field then new = new + 1 end
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
