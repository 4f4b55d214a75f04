local denied = redis.error_reply('NOPERM this user has no permissions to run what the script calls')
local function may(...) return not redis.acl_check_cmd or redis.acl_check_cmd(...) end
