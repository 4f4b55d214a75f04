if not may('PEXPIRE', KEYS[1], 1) then return denied end
local reply
if #ARGV <= 4002 then
    reply = redis.call(ARGV[2], KEYS[1], unpack(ARGV, 3))
else
    reply = {}
    for from = 3, #ARGV, 4000 do
        local part = redis.call(ARGV[2], KEYS[1], unpack(ARGV, from, math.min(from + 3999, #ARGV)))
        for i = 1, #part do reply[#reply + 1] = part[i] end
    end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return reply
