-- Send so many bytes: HOST BYTES. The reply has 13.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "result.lua")

function init(arguments)
  wrk.headers["Host"] = arguments[1]
  wrk.method = "POST"
  wrk.body = string.rep("x", tonumber(arguments[2]))
end
